/** The ledger of TLS records says "all is delivered" only where that is so, with every cipher; where it cannot know, it says nothing. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { connect } from 'node:tls';
import type { ConnectionOptions } from 'node:tls';
import { RecordLedger } from '../../src/connections/record-ledger.js';
import type { SocketLike } from '../../src/node/types.js';
import { rawServer } from '../support/server.js';
import { until } from '../support/until.js';

const LIMIT = { timeout: 120_000 };

/** A socket of which the ledger sees as much as it needs. */
function fakeSocket(
  protocol: string | null,
  cipher: string,
): { socket: SocketLike; raw: { bytesRead: number } } {
  const raw = { bytesRead: 1000 };
  const socket = {
    _handle: { _parent: raw },
    getProtocol: () => protocol,
    getCipher: () => ({ name: cipher }),
  };
  return { socket: socket as unknown as SocketLike, raw };
}

/** Bytes that a record has beside its content, or `undefined` where that is not the same for all. */
const OVERHEADS: [protocol: string | null, cipher: string, overhead: number | undefined][] = [
  ['TLSv1.3', 'TLS_AES_128_GCM_SHA256', 22],
  ['TLSv1.3', 'TLS_AES_256_GCM_SHA384', 22],
  ['TLSv1.3', 'TLS_CHACHA20_POLY1305_SHA256', 22],
  // Its tag is shorter in one of the two, and the name does not always tell.
  ['TLSv1.3', 'TLS_AES_128_CCM_SHA256', undefined],
  ['TLSv1.3', 'TLS_AES_128_CCM_8_SHA256', undefined],
  ['TLSv1.2', 'ECDHE-RSA-AES128-GCM-SHA256', 29],
  ['TLSv1.2', 'ECDHE-ECDSA-AES256-GCM-SHA384', 29],
  ['TLSv1.2', 'ECDHE-RSA-CHACHA20-POLY1305', 21],
  ['TLSv1.2', 'ECDHE-ECDSA-AES128-CCM', undefined],
  ['TLSv1.2', 'ECDHE-ECDSA-AES128-CCM8', undefined],
  // Padding.
  ['TLSv1.2', 'ECDHE-RSA-AES128-SHA', undefined],
  ['TLSv1.1', 'ECDHE-RSA-AES128-GCM-SHA256', undefined],
  [null, 'TLS_AES_128_GCM_SHA256', undefined],
  ['TLSv1.4', 'TLS_AES_128_GCM_SHA256', undefined],
];

describe('The ledger, by protocol and cipher', () => {
  for (const [protocol, cipher, overhead] of OVERHEADS) {
    it(`${protocol}, ${cipher}: ${overhead ?? 'not known'}`, () => {
      // Whatever a record costs, and one more.
      for (let cost = 0; cost < 64; cost++) {
        const { socket, raw } = fakeSocket(protocol, cipher);
        const ledger = new RecordLedger(socket);
        ledger.reset();
        ledger.add(100);
        ledger.add(1);
        raw.bytesRead += 101 + 2 * cost;
        assert.equal(ledger.balanced, cost === overhead, `${cost} bytes`);
      }
    });
  }
});

describe('The ledger', () => {
  const OVERHEAD = 22;
  const fake = (): ReturnType<typeof fakeSocket> => fakeSocket('TLSv1.3', 'TLS_AES_128_GCM_SHA256');

  it('knows nothing before the first reset', () => {
    const { socket } = fake();
    assert.equal(new RecordLedger(socket).balanced, false);
  });

  it('is balanced where nothing came, and not where something came that was not delivered', () => {
    const { socket, raw } = fake();
    const ledger = new RecordLedger(socket);
    ledger.reset();
    assert.equal(ledger.balanced, true);
    raw.bytesRead += 5;
    assert.equal(ledger.balanced, false, 'the head of a record');
    raw.bytesRead += OVERHEAD - 5 + 10;
    ledger.add(10);
    assert.equal(ledger.balanced, true);
    raw.bytesRead++;
    assert.equal(ledger.balanced, false);
  });

  it('stays unbalanced after a record without data, until the next reset', () => {
    const { socket, raw } = fake();
    const ledger = new RecordLedger(socket);
    ledger.reset();
    raw.bytesRead += 200;
    raw.bytesRead += 10 + OVERHEAD;
    ledger.add(10);
    assert.equal(ledger.balanced, false);
    ledger.reset();
    assert.equal(ledger.balanced, true);
    raw.bytesRead += 10 + OVERHEAD;
    assert.equal(ledger.balanced, false);
    ledger.add(10);
    assert.equal(ledger.balanced, true);
  });

  it('knows nothing of streams that are no TLS sockets, and throws at none', () => {
    const { socket } = fake();
    const strangers: object[] = [
      {},
      { ...socket, _handle: null },
      { ...socket, _handle: {} },
      { ...socket, _handle: { _parent: null } },
      { ...socket, _handle: { _parent: { bytesRead: '7' } } },
      { ...socket, getCipher: undefined },
      { ...socket, getCipher: () => undefined, getProtocol: () => 'TLSv1.2' },
      { ...socket, getProtocol: undefined },
    ];
    for (const stranger of strangers) {
      const ledger = new RecordLedger(stranger as SocketLike);
      ledger.reset();
      assert.equal(ledger.balanced, false);
      ledger.add(1);
      ledger.reset();
      assert.equal(ledger.balanced, false);
    }
  });
});

/** Real ciphers, and whether the ledger knows them. */
const CIPHERS: [version: 'TLSv1.2' | 'TLSv1.3', cipher: string, isKnown: boolean][] = [
  ['TLSv1.3', 'TLS_AES_128_GCM_SHA256', true],
  ['TLSv1.3', 'TLS_AES_256_GCM_SHA384', true],
  ['TLSv1.3', 'TLS_CHACHA20_POLY1305_SHA256', true],
  ['TLSv1.3', 'TLS_AES_128_CCM_SHA256', false],
  ['TLSv1.2', 'ECDHE-ECDSA-AES128-GCM-SHA256', true],
  ['TLSv1.2', 'ECDHE-ECDSA-AES256-GCM-SHA384', true],
  ['TLSv1.2', 'ECDHE-ECDSA-CHACHA20-POLY1305', true],
  ['TLSv1.2', 'ECDHE-ECDSA-AES128-CCM', false],
  ['TLSv1.2', 'ECDHE-ECDSA-AES128-SHA', false],
];

describe('The ledger of a real connection', () => {
  for (const [version, cipher, isKnown] of CIPHERS) {
    it(`${version}, ${cipher}`, LIMIT, async (t) => {
      const tls = { minVersion: version, maxVersion: version, ciphers: cipher } as const;
      const sizes = [1, 100, 16_384, 40_000];
      const total = sizes.reduce((sum, size) => sum + size, 0);
      const server = await rawServer(
        t,
        (peer) => {
          peer.write('ready');
          // Not before the client has begun to count: with TLS 1.3, tickets come before the first data.
          peer.on('data', () => {
            for (const size of sizes) peer.write('x'.repeat(size));
          });
        },
        tls,
      );
      const options: ConnectionOptions = { port: server.port, host: 'localhost', ca: server.ca, ...tls };
      const socket = connect(options);
      t.after(() => socket.destroy());
      const ledger = new RecordLedger(socket);
      await once(socket, 'data');
      assert.equal(socket.getCipher().name, cipher);
      ledger.reset();
      let delivered = 0;
      socket.on('data', (chunk: Buffer) => {
        ledger.add(chunk.length);
        delivered += chunk.length;
      });
      socket.write('go');
      await until(() => delivered === total);
      assert.equal(ledger.balanced, isKnown);
    });
  }
});
