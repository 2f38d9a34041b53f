/** One request with `enableTrace`: what it prints goes to stderr, from below JavaScript. */
import { request } from 'node:https';
import { PoolingAgent } from '../../../src/index.js';

const [, , place, port] = process.argv;
const options = { ca: process.env['CA'], enableTrace: true };
const agent = new PoolingAgent(place === 'agent' ? options : {});
const own = place === 'request' ? options : {};
request({ host: 'localhost', port, agent, ...own }, (res) => res.resume()).end();
