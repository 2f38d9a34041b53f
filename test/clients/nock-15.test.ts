/**
 * nock 15 mocks sockets, and replaces `http.Agent.prototype.addRequest` so that no request uses a real one that was opened before. It is for the
 * whole process: hence a file, and so a process, of its own. In nock-15-first.test.ts it is loaded before us.
 */
import { describeNock15 } from './nock-15.js';

const { PoolingAgent } = await import('../../src/index.js');
const { default: nock } = await import('nock-15');
describeNock15('loaded after us', PoolingAgent, nock);
