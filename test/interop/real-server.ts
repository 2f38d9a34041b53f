/**
 * The servers that the tests use. Each answers every request with its report about the
 * connection: whether the session was resumed is heard from the server, too, not only from the client.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { certificate } from '../support/certificate.js';
import { find, freePort, ServerProcess, temporaryDirectory } from './server-process.js';

export type Protocol = 'TLSv1.2' | 'TLSv1.3';

export interface Settings {
  readonly protocol: Protocol;
  /** Sessions go to the client, encrypted with a key of the server's. */
  readonly tickets: boolean;
  /** Sessions stay with the server; the client gets their name. */
  readonly cache: boolean;
  /** Clients must show one of these certificates. */
  readonly clients?: readonly string[];
  /** Requests after which the server closes a connection. */
  readonly requestsPerConnection?: number;
  /** Seconds without a request after which it closes one, too. */
  readonly idleSeconds?: number;
  /** Arguments of the program's own. */
  readonly more?: readonly string[];
}

/** A server's report about the connection of a request. */
export interface Statement {
  /** Different for each connection; `undefined`: it does not say, and every request has its own. */
  readonly connection: string | undefined;
  readonly protocol: string;
  readonly resumed: boolean;
  /** The common name in the client's certificate. */
  readonly client: string | undefined;
}

export interface RealServer {
  readonly port: number;
  readonly ca: string;
  /** Reads an answer. */
  understand(body: string): Statement;
  /** Kills it and starts it anew at the same port: all keys and sessions are lost. */
  restart(changes?: Partial<Settings>): Promise<void>;
}

export type Start = (t: TestContext, settings: Settings) => Promise<RealServer>;

/** The way to run a program. */
export interface Program {
  readonly name: string;
  /** The output by which it says that it is ready, if it prints any. */
  readonly ready?: string;
  /** Writes what it needs to `directory`, where certificate.pem and key.pem are, and says how to call it. */
  command(path: string, port: number, settings: Settings, directory: string): readonly string[];
  understand(body: string): Statement;
}

const PORT_TRIES = 5;

export function starter(program: Program): Start {
  return async (t, settings) => {
    const path = find(program.name);
    if (path === undefined) throw new Error(`${program.name} is not installed`);
    const { key, cert } = await certificate();
    const directory = temporaryDirectory(t);
    writeFileSync(join(directory, 'certificate.pem'), cert);
    writeFileSync(join(directory, 'key.pem'), key);
    writeFileSync(join(directory, 'clients.pem'), (settings.clients ?? []).join('\n'));

    const run = (port: number, current: Settings): Promise<ServerProcess> => {
      const { ready } = program;
      const command = program.command(path, port, current, directory);
      return ServerProcess.start(t, command, { cwd: directory, port, ...(ready !== undefined && { ready }) });
    };
    let port = await freePort();
    let running: ServerProcess | undefined;
    for (let tries = 1; !running; tries++) {
      try {
        running = await run(port, settings);
      } catch (error) {
        const isTaken = /in use/i.test(String(error));
        if (!isTaken || tries === PORT_TRIES) throw error;
        port = await freePort();
      }
    }
    return {
      port,
      ca: cert,
      understand: (body) => program.understand(body),
      async restart(changes) {
        await running?.stop();
        running = await run(port, { ...settings, ...changes });
      },
    };
  };
}

/** Reads `name=value` lines: `protocol`, `resumed`, and, if the server has them, `connection` and `client`. */
export function parseStatement(body: string, resumed: string): Statement {
  const entries = body
    .trim()
    .split('\n')
    .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)] as const);
  const values = new Map(entries);
  return {
    connection: values.get('connection'),
    protocol: values.get('protocol') ?? '',
    resumed: values.get('resumed') === resumed,
    client: values.get('client') || undefined,
  };
}

const LIMIT = { timeout: 120_000 };

export type Test = (title: string, body: (t: TestContext) => Promise<void>) => void;

export const testAlways: Test = (title, body) => void test(title, LIMIT, body);

/**
 * Tests that need a program. Where it is not installed they are skipped; in continuous integration, which says
 * `INTEROP=required`, they fail.
 */
export function testWith(program: string): Test {
  const isMissing = find(program) === undefined;
  const isRequired = process.env['INTEROP'] === 'required';
  const skip = isMissing && !isRequired && `${program} is not installed`;
  return (title, body) => void test(title, { ...LIMIT, skip }, body);
}
