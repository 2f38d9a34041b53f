/**
 * The protocol that the tests of this process speak, and Node's functions for it: `https:`, or `http:` where over-http.ts was imported before. Nothing of the
 * package is loaded here, because some tests replace Node's timers before that.
 */
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import tls from 'node:tls';

export const isPlain: boolean = process.env['TEST_PROTOCOL'] === 'http:';
export const PROTOCOL = isPlain ? 'http:' : 'https:';
const OTHER = isPlain ? 'https:' : 'http:';
/** The protocol that the agents of these tests do not speak. */
export const OTHER_PROTOCOL: string = OTHER;
export const DEFAULT_PORT = isPlain ? 80 : 443;

/** Node's module. Where `isPlain`, nothing is used that only `https` has. */
export const nodes = (isPlain ? http : https) as typeof https;
export const { Agent, createServer, request } = nodes;
export const connect = (isPlain ? net.connect : tls.connect) as typeof tls.connect;
export const createRawServer = (isPlain ? net.createServer : tls.createServer) as typeof tls.createServer;

/** Options of a test that is about TLS alone. */
export const TLS_ONLY = { skip: isPlain };

/** The event of a server that tells of a connection that is ready. */
export const CONNECTED = isPlain ? 'connection' : 'secureConnection';
/** The event of a client's socket that is ready for requests. */
export const READY = isPlain ? 'connect' : 'secureConnect';
