/** HAProxy. */
import { startHaproxy } from './haproxy.js';
import { testWith } from './real-server.js';
import { suite } from './suite.js';

suite(testWith('haproxy'), startHaproxy, { keepAlive: true, limitsRequests: false, cachesTls13: true });
