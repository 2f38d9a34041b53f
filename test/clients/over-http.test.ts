/** The cases that every client goes through, over `http:`. Proxies of `http:` are in egress/forward.test.ts; undici-fetch.test.ts and the tests of nock have processes of their own. */
import '../support/over-http.js';
import './axios.test.js';
import './follow-redirects.test.js';
import './got.test.js';
import './needle.test.js';
import './node-fetch-2.test.js';
import './node-fetch.test.js';
import './smithy.test.js';
import './superagent.test.js';
import './ws.test.js';
