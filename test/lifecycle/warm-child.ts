/** A process of its own for warm.test.ts: what is kept ready lets it end, but not before its requests are answered. */
import { PoolingAgent } from '../support/protocol.js';
import { get } from '../support/server.js';

const [port, ca = '', what] = process.argv.slice(2);
const hosts = { [`localhost:${port}`]: { minFreeSockets: 2 } };
const agent = new PoolingAgent({ ca, hosts });
if (what === 'request') {
  // It counts on what is being opened.
  setImmediate(() => {
    void get({ port: Number(port), ca }, { agent, ca: undefined as never }).then(({ body }) =>
      console.log(body),
    );
  });
}
