/**
 * The tests of this folder that are about agents of both protocols, over `http:`. Of the others, server-counts.test.ts and stats.test.ts count handshakes, and what fails in one
 * (agent/http-agent.test.ts and agent/agents.test.ts have the counts of plain agents), and the rest opens no connection.
 */
import '../support/over-http.js';
import './channels.test.js';
import './explain.test.js';
