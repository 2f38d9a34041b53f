/**
 * The tests of this folder that are about agents of both protocols, over `http:`. Of the others, poisoning.test.ts is about records of TLS, one in the other; http-agent.test.ts and agents.test.ts
 * are about `http:` themselves; and the rest is about debug lines and what is loaded.
 */
import '../support/over-http.js';
import './abort.test.js';
import './early-answers.test.js';
import './faults.test.js';
import './healthy-server.test.js';
import './keep-alive-hint.test.js';
import './queue.test.js';
import './stray-bytes.test.js';
