/** Client libraries as people use them, with an agent that has a proxy; and what they do with the proxy that the environment names. */
import assert from 'node:assert/strict';
import { text } from 'node:stream/consumers';
import type { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import axios from 'axios';
import got from 'got';
import fetch from 'node-fetch';
import '../support/audit.js';
import type { PoolingAgent } from '../../src/index.js';
import { poolingAgent } from '../support/agent.js';
import { proxyServer } from '../support/proxy-server.js';
import { httpsServer } from '../support/server.js';
import { LIMIT } from './support.js';

type Ask = (url: string, agent: PoolingAgent) => Promise<string>;

const CLIENTS: Record<string, Ask> = {
  axios: async (url, httpsAgent) => {
    const { data } = await axios.get<string>(url, { httpsAgent, proxy: false, responseType: 'text' });
    return data;
  },
  got: (url, agent) => got(url, { agent: { https: agent } }).text(),
  'node-fetch': async (url, agent) => (await fetch(url, { agent })).text(),
  'the AWS SDK': async (url, agent) => {
    const handler = new NodeHttpHandler({ httpsAgent: agent.lend() });
    const { protocol, hostname, port, pathname } = new URL(url);
    const request = {
      method: 'GET',
      protocol,
      hostname,
      port: Number(port),
      path: pathname,
      query: {},
      headers: {},
    };
    const { response } = await handler.handle({ ...request, clone: () => request } as never);
    return text((response as { body: Readable }).body);
  },
};

for (const [name, ask] of Object.entries(CLIENTS)) {
  describe(name, () => {
    it('goes through the proxy of its agent, and shares its tunnels', LIMIT, async (t) => {
      const server = await httpsServer(t);
      const proxy = await proxyServer(t);
      const agent = poolingAgent(t, { ca: server.ca, proxy: proxy.url });
      for (const path of ['/1', '/2', '/3']) assert.equal(await ask(`${server.url}${path}`, agent), path);
      assert.equal(proxy.asked.length, 1);
      const paths = Array.from({ length: 20 }, (_, i) => `/many/${i}`);
      assert.deepEqual(await Promise.all(paths.map((path) => ask(`${server.url}${path}`, agent))), paths);
      assert.equal(server.requests(), 23);
      assert.equal(server.connections(), proxy.asked.length);
    });
  });
}
