/** The same with nock loaded, and active, before us: what we see of Node's agent is nock's already. */
import nock from 'nock-15';

const { describeNock15 } = await import('./nock-15.js');
const { PoolingAgent } = await import('../../src/index.js');
describeNock15('loaded before us', PoolingAgent, nock);
