/** The process of a server that misbehaves on request: the one of the tests, with no plan of its own. */
import type { FaultStatistics } from '../test/support/fault-server/plan.js';
import { listen } from '../test/support/fault-server/server.js';
import type { RunningServer } from '../test/support/fault-server/server.js';
import type { Certificate } from './certificate.js';
import { answer } from './ipc.js';

let running: RunningServer | undefined;

answer({
  async listen(certificate: Certificate): Promise<number> {
    running = await listen({ seed: 1 }, certificate, false);
    return running.port;
  },
  statistics: (): FaultStatistics | undefined => running?.statistics(),
});
