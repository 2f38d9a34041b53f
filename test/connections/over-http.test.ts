/**
 * The tests of this folder that are about agents of both protocols, over `http:`. Of the others, record-ledger.test.ts, tls-errors.test.ts and unref.test.ts
 * are about records, alerts and handshakes of TLS, and the rest is about single parts, without a connection.
 */
import '../support/over-http.js';
import './answer-while-writing.test.js';
import './connect-timeout.test.js';
import './ends.test.js';
import './hand-over.test.js';
import './last-poll.test.js';
import './missed.test.js';
import './no-false-alarms.test.js';
import './replay-choices.test.js';
import './replay-under-fire.test.js';
import './replay.test.js';
import './rested.test.js';
import './stall-watch.test.js';
import './validation.test.js';
