/** The tests of this folder, over `http:`. */
import '../support/over-http.js';
import './busy-loop.test.js';
import './every-fault.test.js';
import './poisoning-fuzz.test.js';
