/** The tests of this folder over `http:`: each is about agents of both protocols. */
import '../support/over-http.js';
import './close-connections.test.js';
import './close.test.js';
import './drain.test.js';
import './exit.test.js';
import './lend.test.js';
import './preconnect.test.js';
import './warm.test.js';
