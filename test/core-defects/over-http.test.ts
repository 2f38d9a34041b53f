/** The tests of this folder that are about agents of both protocols, over `http:`; keylog.test.ts and sharing.test.ts are about TLS alone. */
import '../support/over-http.js';
import './abort.test.js';
import './addresses.test.js';
import './close-once.test.js';
import './create-connection.test.js';
import './idle-connections.test.js';
import './limits.test.js';
import './open-end.test.js';
import './poisoning.test.js';
import './queue.test.js';
