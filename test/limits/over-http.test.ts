/**
 * The tests of this folder that are about agents of both protocols, over `http:`. Of the others, load.test.ts tells hosts by the server names of their connections, and the rest
 * opens no connection.
 */
import '../support/over-http.js';
import './odd-origins.test.js';
import './priority-header.test.js';
import './queue.test.js';
import './rollback.test.js';
