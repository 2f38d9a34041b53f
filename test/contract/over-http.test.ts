/**
 * The tests of this folder that are about agents of both protocols, over `http:`. Of the others, sessions.test.ts is about TLS alone, proxy.test.ts about tunnels
 * (egress/forward.test.ts has proxies of `http:`), and fake-timers.test.ts and lost-callbacks.test.ts about the pool's timers, which know no protocol.
 */
import '../support/over-http.js';
import './adoption.test.js';
import './agent-false.test.js';
import './async-context-of-events.test.js';
import './async-context.test.js';
import './client-request.test.js';
import './connection-close.test.js';
import './copied-agents.test.js';
import './create-connection-failures.test.js';
import './create-connection.test.js';
import './create-socket.test.js';
import './dead-sockets.test.js';
import './errors.test.js';
import './events.test.js';
import './get-name.test.js';
import './idle-sockets.test.js';
import './leased-sockets.test.js';
import './lenient-options.test.js';
import './live-limits.test.js';
import './option-merging-fuzz.test.js';
import './option-merging.test.js';
import './option-validation.test.js';
import './release.test.js';
import './released-sockets.test.js';
import './socket-listeners.test.js';
import './subclass.test.js';
import './throwing-hooks.test.js';
import './views.test.js';
