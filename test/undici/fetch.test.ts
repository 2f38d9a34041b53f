/** fetch, Node's own and that of each undici, over a pool: bodies both ways, what is not to be there, aborts, redirects, errors; and the pool's limits hold. */
import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { idleCount, waitingCount } from '../support/agent.js';
import { until } from '../support/until.js';
import { fetches, LIMIT, setUp } from './support.js';

async function bodyOf(req: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

interface Echo {
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body: string;
}

for (const [name, { fetch, FormData, Request }] of fetches) {
  const echoing = async (t: Parameters<typeof setUp>[0]) => {
    const setup = await setUp(t, async (req, res) => {
      const body = await bodyOf(req);
      res.end(JSON.stringify({ method: req.method, headers: req.headers, body: body.toString() }));
    });
    const send = async (init: Parameters<typeof fetch>[1]): Promise<Echo> => {
      const response = await fetch(`${setup.server.url}/`, {
        ...init,
        dispatcher: setup.dispatcher,
      } as never);
      assert.equal(response.status, 200);
      return (await response.json()) as Echo;
    };
    return { ...setup, send };
  };

  describe(name, LIMIT, () => {
    it('gets, on one connection', async (t) => {
      const { server, agent, dispatcher } = await setUp(t);
      for (let i = 0; i < 5; i++) {
        const response = await fetch(`${server.url}/${i}?q=1`, { dispatcher } as never);
        assert.equal(await response.text(), `/${i}?q=1`);
      }
      assert.equal(server.connections(), 1);
      await until(() => idleCount(agent) === 1);
      assert.equal(agent.stats().requests, 5);
    });

    it('goes by a Request that names no dispatcher, and an init that does', async (t) => {
      const { server, dispatcher } = await setUp(t);
      const response = await fetch(new Request(`${server.url}/r`), { dispatcher } as never);
      assert.equal(await response.text(), '/r');
    });

    it('sends text, bytes, forms and blobs with their length', async (t) => {
      const { send } = await echoing(t);
      const text = await send({ method: 'POST', body: 'hello' });
      assert.deepEqual([text.body, text.headers['content-length']], ['hello', '5']);
      assert.equal(text.headers['content-type'], 'text/plain;charset=UTF-8');
      const bytes = await send({ method: 'PUT', body: new Uint8Array([65, 66]) });
      assert.deepEqual([bytes.method, bytes.body, bytes.headers['content-length']], ['PUT', 'AB', '2']);
      const blob = await send({ method: 'POST', body: new Blob(['blob'], { type: 'text/x' }) as never });
      assert.deepEqual([blob.body, blob.headers['content-type']], ['blob', 'text/x']);
      const params = await send({ method: 'POST', body: new URLSearchParams({ a: '1' }) });
      assert.equal(params.body, 'a=1');
      const form = new FormData();
      form.append('field', 'value');
      form.append('file', new Blob(['content']) as never, 'name.txt');
      const sent = await send({ method: 'POST', body: form });
      assert.match(sent.headers['content-type'] ?? '', /^multipart\/form-data; boundary=/);
      assert.equal(sent.headers['content-length'], String(sent.body.length));
      assert.match(sent.body, /name="field"\r\n\r\nvalue\r\n/);
      assert.match(sent.body, /filename="name.txt"/);
      const none = await send({ method: 'POST' });
      assert.deepEqual([none.body, none.headers['content-length']], ['', '0']);
    });

    it('streams a body, in chunks', async (t) => {
      const { send } = await echoing(t);
      const body = new ReadableStream({
        async start(controller) {
          for (const part of ['one ', 'two ', 'three']) {
            controller.enqueue(Buffer.from(part));
            await sleep(1);
          }
          controller.close();
        },
      });
      const sent = await send({ method: 'POST', body, duplex: 'half' } as never);
      assert.equal(sent.body, 'one two three');
      assert.equal(sent.headers['transfer-encoding'], 'chunked');
    });

    it('reads no more of a response than is asked for', async (t) => {
      let written = 0;
      const { server, dispatcher } = await setUp(t, (_req, res) => {
        const chunk = Buffer.alloc(64 * 1024, 'x');
        const fill = (): void => {
          while (written < 64 * 1024 * 1024) {
            written += chunk.length;
            if (!res.write(chunk)) return void res.once('drain', fill);
          }
          res.end();
        };
        fill();
      });
      const response = await fetch(`${server.url}/`, { dispatcher } as never);
      const reader = response.body?.getReader();
      await reader?.read();
      // Until the server has stopped.
      for (let before = -1; written > before;) {
        before = written;
        await sleep(100);
      }
      assert.ok(written < 32 * 1024 * 1024, `${written} bytes`);
      await reader?.cancel();
    });

    it('hands on headers, cookies and what is compressed', async (t) => {
      const { server, dispatcher } = await setUp(t, (_req, res) => {
        res.writeHead(201, 'Made', [
          ['Set-Cookie', 'a=1'],
          ['Set-Cookie', 'b=2'],
          ['Content-Encoding', 'gzip'],
          ['X-Latin', 'caf\u00e9'],
        ] as never);
        res.end(gzipSync('unpacked'));
      });
      const response = await fetch(`${server.url}/`, { dispatcher } as never);
      assert.deepEqual([response.status, response.statusText], [201, 'Made']);
      assert.deepEqual(response.headers.getSetCookie(), ['a=1', 'b=2']);
      assert.equal(response.headers.get('x-latin'), 'caf\u00e9');
      assert.equal(await response.text(), 'unpacked');
    });

    it('takes HEAD, 204 and 304 for what has no body, and keeps the connection', async (t) => {
      const { server, dispatcher } = await setUp(t, (req, res) => {
        res.statusCode = Number(req.url?.slice(1));
        if (req.method === 'HEAD') res.setHeader('content-length', '10');
        res.end();
      });
      for (const [method, status] of [
        ['HEAD', 200],
        ['GET', 204],
        ['GET', 304],
        ['GET', 200],
      ] as const) {
        const response = await fetch(`${server.url}/${status}`, { method, dispatcher } as never);
        assert.equal(response.status, status);
        assert.equal(await response.text(), '');
      }
      assert.equal(server.connections(), 1);
    });

    it('follows redirects', async (t) => {
      const { server, dispatcher } = await setUp(t, (req, res) => {
        if (req.url === '/there') res.end('arrived');
        else res.writeHead(302, { location: '/there' }).end('moved');
      });
      const response = await fetch(`${server.url}/here`, { dispatcher } as never);
      assert.equal(await response.text(), 'arrived');
      assert.ok(response.redirected);
    });

    it('keeps to maxSockets, and to the queue', async (t) => {
      const { server, agent, dispatcher } = await setUp(
        t,
        (req, res) => void setTimeout(() => res.end(req.url), 5),
        { maxSockets: 2 },
      );
      const texts = await Promise.all(
        Array.from({ length: 12 }, async (_, i) => {
          const response = await fetch(`${server.url}/${i}`, { dispatcher } as never);
          return response.text();
        }),
      );
      assert.deepEqual(
        texts,
        texts.map((_, i) => `/${i}`),
      );
      assert.equal(server.peak(), 2);
      assert.equal(waitingCount(agent), 0);
    });

    it('aborts before it begins, while it waits, before the response, and within', async (t) => {
      let held = 0;
      const { server, agent, dispatcher } = await setUp(
        t,
        (req, res) => {
          held++;
          if (req.url === '/within') res.write('some');
        },
        { maxSockets: 1 },
      );
      const get = (path: string, signal: AbortSignal): ReturnType<typeof fetch> =>
        fetch(`${server.url}${path}`, { dispatcher, signal } as never);
      await assert.rejects(get('/never', AbortSignal.abort()), { name: 'AbortError' });
      const before = new AbortController();
      const beforeResponse = get('/before', before.signal);
      await until(() => held === 1);
      const waiting = new AbortController();
      const whileWaiting = get('/waiting', waiting.signal);
      await until(() => waitingCount(agent) === 1);
      waiting.abort();
      await assert.rejects(whileWaiting, { name: 'AbortError' });
      assert.equal(waitingCount(agent), 0);
      before.abort();
      await assert.rejects(beforeResponse, { name: 'AbortError' });
      const within = new AbortController();
      const response = await get('/within', within.signal);
      within.abort();
      await assert.rejects(response.text(), { name: 'AbortError' });
      await until(() => agent.totalSocketCount === 0);
      assert.equal(held, 2);
    });

    it('cancels a response: the connection ends, as it must', async (t) => {
      const { server, agent, dispatcher } = await setUp(t, (_req, res) => void res.write('endless'));
      const response = await fetch(`${server.url}/`, { dispatcher } as never);
      await response.body?.cancel();
      await until(() => agent.totalSocketCount === 0);
    });

    it('fails with the codes that it has with undici', async (t) => {
      const { server, dispatcher } = await setUp(t, (req, res) => {
        if (req.url === '/partly') {
          res.writeHead(200, { 'content-length': 100 }).write('some');
          setTimeout(() => req.socket.destroy(), 20);
        } else req.socket.destroy();
      });
      const lost = fetch(`${server.url}/`, { method: 'POST', body: 'x', dispatcher } as never);
      await assert.rejects(lost, (error: Error) => {
        assert.equal(error.message, 'fetch failed');
        assert.equal((error.cause as { code?: string }).code, 'UND_ERR_SOCKET');
        return true;
      });
      const response = await fetch(`${server.url}/partly`, { dispatcher } as never);
      await assert.rejects(response.text(), (error: Error) => {
        assert.equal(error.message, 'terminated');
        assert.equal((error.cause as { code?: string }).code, 'UND_ERR_SOCKET');
        return true;
      });
      const { port } = server;
      await server.close();
      const refused = fetch(`https://localhost:${port}/`, { dispatcher } as never);
      await assert.rejects(refused, (error: Error) => /ECONNREFUSED/.test(codesOf(error.cause)));
    });

    it('ends with its body when the body fails', async (t) => {
      let received = '';
      const { server, agent, dispatcher } = await setUp(t, (req) => {
        req.on('data', (chunk: Buffer) => (received += chunk.toString()));
      });
      const body = new ReadableStream({
        async pull(controller) {
          controller.enqueue(Buffer.from('some'));
          await until(() => received === 'some');
          controller.error(new Error('no more'));
        },
      });
      await assert.rejects(
        fetch(`${server.url}/`, { method: 'POST', body, duplex: 'half', dispatcher } as never),
      );
      await until(() => server.open() === 0 && agent.totalSocketCount === 0);
    });

    it('sends a body no faster than it is read', async (t) => {
      let read: IncomingMessage | undefined;
      const { server, dispatcher } = await setUp(t, (req, res) => {
        read = req;
        req.on('end', () => res.end('done'));
      });
      let pulled = 0;
      const body = new ReadableStream({
        pull(controller) {
          pulled++;
          if (pulled === 400) controller.close();
          else controller.enqueue(Buffer.alloc(64 * 1024));
        },
      });
      const response = fetch(`${server.url}/`, { method: 'POST', body, duplex: 'half', dispatcher } as never);
      await until(() => read);
      await sleep(100);
      assert.ok(pulled < 300, `${pulled} parts`);
      read?.resume();
      assert.equal(await (await response).text(), 'done');
      assert.equal(pulled, 400);
    });
  });
}

/** Node tries each address, and tells of all of them. */
function codesOf(cause: unknown): string {
  const { code, errors } = cause as { code?: string; errors?: { code: string }[] };
  return [code, ...(errors ?? []).map((one) => one.code)].join(' ');
}
