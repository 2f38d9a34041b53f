/** SIGTERM under load, in a process of its own: no request is lost, and the process ends by itself. */
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { until } from '../support/until.js';
import { holdingServer, LIMIT } from './support.js';

const child = fileURLToPath(new URL('drain-child.js', import.meta.url));
const IN_FLIGHT = 200;
const WAITING = 50;

test(
  '200 requests in flight and 50 that wait are answered after SIGTERM; the exit code is 0',
  LIMIT,
  async (t) => {
    const server = await holdingServer(t);
    const args = [server.port, server.ca, IN_FLIGHT, WAITING].map(String);
    const drained = fork(child, args, { execArgv: [] });
    t.after(() => drained.kill('SIGKILL'));
    const exited = once(drained, 'exit');
    const told = once(drained, 'message');
    await until(() => server.held.size === IN_FLIGHT);
    drained.kill('SIGTERM');
    // Whether it comes before or after the answers: those that wait need the connections of the others.
    const answering = setInterval(() => server.answer([...server.held.keys()][0]), 1);
    t.after(() => clearInterval(answering));
    const [report] = (await told) as [{ lost: string[]; late: string; left: number }];
    assert.deepEqual(report, { lost: [], late: 'ERR_AGENT_CLOSED', left: 0 });
    assert.deepEqual(await exited, [0, null]);
    assert.equal(server.requests(), IN_FLIGHT + WAITING);
    assert.equal(server.connections(), IN_FLIGHT);
  },
);
