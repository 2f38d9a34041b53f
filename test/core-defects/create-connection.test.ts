/** Defect 6: `createConnection` that answers through its callback. */
import assert from 'node:assert/strict';
import type { ConnectionOptions } from 'node:tls';
import { setTimeout } from 'node:timers';
import { connect } from '../support/protocol.js';
import { get, httpsServer } from '../support/server.js';
import { defect } from './support.js';

type Callback = (error: Error | null, socket?: object) => void;

defect(
  '6. a slow createConnection is not counted against maxSockets',
  { symptom: /2 at once/ },
  async ({ t, agent: make, soon }) => {
    const server = await httpsServer(t);
    let connecting = 0;
    let peak = 0;
    const agent = make({ ca: server.ca, maxSockets: 1 });
    Reflect.set(agent, 'createConnection', (options: ConnectionOptions, callback: Callback) => {
      peak = Math.max(peak, ++connecting);
      setTimeout(() => {
        connecting--;
        callback(null, connect(options));
      }, 20);
    });
    await soon(Promise.all([get(server, { agent }), get(server, { agent })]), 'answers');
    assert.equal(peak, 1, `${peak} at once`);
    assert.equal(server.connections(), 1, `${server.connections()} connections`);
  },
);

defect(
  '6. a createConnection that fails through its callback strands the queue',
  { symptom: /in vain: the last one|hang up/ },
  async ({ t, agent: make, soon }) => {
    const server = await httpsServer(t, (req, res) => {
      res.setHeader('connection', 'close');
      res.end(req.url);
    });
    let calls = 0;
    const agent = make({ ca: server.ca, maxSockets: 1 });
    Reflect.set(agent, 'createConnection', (options: ConnectionOptions, callback: Callback) => {
      if (++calls !== 2) return connect(options);
      setImmediate(() => callback(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })));
      return undefined;
    });
    const [first, second, last] = ['/1', '/2', '/3'].map((path) => get(server, { agent, path }));
    await first;
    await assert.rejects(soon(second as Promise<unknown>, 'the second one'), { code: 'ECONNREFUSED' });
    const answer = await soon(last as Promise<{ body: string }>, 'the last one');
    assert.equal(answer.body, '/3');
  },
);
