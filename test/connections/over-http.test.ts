/**
 * The tests of this folder, and of the two in it, that are about agents of both protocols, over `http:`. Of the others, record-ledger.test.ts, tls-errors.test.ts
 * and dials/unref.test.ts are about records, alerts and handshakes of TLS, and the rest is about single parts, without a connection.
 */
import '../support/over-http.js';
import './answer-while-writing.test.js';
import './dials/connect-timeout.test.js';
import './dials/last-poll.test.js';
import './ends.test.js';
import './hand-over.test.js';
import './losses/no-false-alarms.test.js';
import './losses/replay-choices.test.js';
import './losses/replay-under-fire.test.js';
import './losses/replay.test.js';
import './losses/stall-watch.test.js';
import './missed.test.js';
import './rested.test.js';
import './validation.test.js';
