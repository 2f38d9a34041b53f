/** nginx. */
import { startNginx } from './nginx.js';
import { testWith } from './real-server.js';
import { suite } from './suite.js';

suite(testWith('nginx'), startNginx, { keepAlive: true, limitsRequests: true, cachesTls13: true });
