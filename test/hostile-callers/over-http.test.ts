/**
 * The tests of this folder that are about agents of both protocols, over `http:`. Of the others, large-imports.test.ts, live-options.test.ts, secrets.test.ts and
 * unreadable.test.ts are about sessions and options of TLS, and foreign-values.test.ts about sockets that look like those of TLS.
 */
import '../support/over-http.js';
import './async-resources.test.js';
import './foreign-code.test.js';
import './hand-overs.test.js';
import './inherited-options.test.js';
import './large-input.test.js';
import './request-values.test.js';
import './strange-connections.test.js';
import './throwing-listeners.test.js';
import './waiting-timeouts.test.js';
