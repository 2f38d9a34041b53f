/** Requests whose answers are held against what the client itself saw. */
import assert from 'node:assert/strict';
import { request } from 'node:https';
import type { Agent, RequestOptions } from 'node:https';
import type { TLSSocket } from 'node:tls';
import type { RealServer, Statement } from './real-server.js';

export interface Answer extends Statement {
  readonly status: number | undefined;
}

/** A GET, to the end of the body. Client and server must agree about what the connection is. */
export function ask(server: RealServer, agent: Agent, options: RequestOptions = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const req = request({ host: 'localhost', port: server.port, agent, ...options }, (res) => {
      const socket = res.socket as TLSSocket;
      const resumed = socket.isSessionReused();
      const protocol = socket.getProtocol();
      let body = '';
      res.setEncoding('utf8');
      res.on('data', (text: string) => (body += text));
      res.on('error', reject);
      res.on('end', () => {
        const statement = server.understand(body);
        const answer = { status: res.statusCode, ...statement };
        try {
          if (res.statusCode === 200) {
            assert.equal(statement.resumed, resumed, 'resumed, according to the server and to the client');
            assert.equal(statement.protocol, protocol);
          }
          resolve(answer);
        } catch (error) {
          reject(error as Error);
        }
      });
    });
    req.on('error', reject);
    req.end();
  });
}

const ONCE = { headers: { connection: 'close' } };

/** A request that nobody shares a connection with. */
export async function askOnce(server: RealServer, agent: Agent, options?: RequestOptions): Promise<Answer> {
  const answer = await ask(server, agent, { ...options, ...ONCE });
  assert.equal(answer.status, 200);
  return answer;
}

/** `count` connections, each after the one before it: which of them were resumed. */
export async function sequence(
  server: RealServer,
  agent: Agent,
  count: number,
  options?: RequestOptions,
): Promise<boolean[]> {
  const answers: Answer[] = [];
  for (let i = 0; i < count; i++) answers.push(await askOnce(server, agent, options));
  assertSeparate(answers);
  return answers.map(({ resumed }) => resumed);
}

/** `count` requests, `concurrency` at a time, on connections that are kept. */
export async function load(
  server: RealServer,
  agent: Agent,
  count: number,
  concurrency: number,
): Promise<Answer[]> {
  const answers: Answer[] = [];
  let sent = 0;
  const inTurn = async (): Promise<void> => {
    while (sent++ < count) answers.push(await ask(server, agent));
  };
  await Promise.all(Array.from({ length: concurrency }, inTurn));
  for (const { status } of answers) assert.equal(status, 200);
  return answers;
}

/** The different connections that these answers came on. */
export function connectionsOf(answers: readonly Answer[]): (string | undefined)[] {
  return [...new Set(answers.map(({ connection }) => connection))];
}

export function assertSeparate(answers: readonly Answer[]): void {
  const named = answers.filter(({ connection }) => connection !== undefined);
  assert.equal(connectionsOf(named).length, named.length, 'each has a connection of its own');
}
