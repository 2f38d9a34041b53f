/**
 * The pool key: which requests may share a connection. An identity (`Origin`) is a profile and a host part, of one protocol.
 *
 * Identities are interned: a request's options are compared by reference with those of the request before, and by content only if that
 * fails. No string with a certificate in it is ever built. Values count by content, functions and contexts by identity.
 *
 * Memory is bounded: an origin is dropped when no connection of it is open, and the number of profiles is limited. Functions and objects
 * that come with one request only (a new `checkServerIdentity` closure each time) push out no other profile, and leave neither
 * connections nor sessions behind.
 *
 * A host counts as it is written, as in Node's agent: `LOCALHOST`, `localhost` and `localhost.` are three. A port counts by its digits.
 */
import type { Options } from './option-value.js';
import { RecentlyUsed } from '../recently-used.js';
import { RecentOptions, placesOf } from './recent-options.js';
import type { Places } from './recent-options.js';
import { allSame, Profile, profileValues, references } from './profile.js';
import type { ProfileValues } from './profile.js';
import { HTTPS } from './protocol.js';
import type { Protocol } from './protocol.js';

/** The options of a request or of an agent: any object. */
export type { Options };

/** The options of the host part. An agent's would replace those of every request. */
export const HOST_OPTIONS = ['host', 'port', 'servername', 'localAddress', 'family', 'socketPath'] as const;

const OPTIONAL = ['port', 'localAddress', 'family', 'socketPath'] as const;

function countNul(text: string): number {
  let count = 0;
  for (let i = text.indexOf('\0'); i !== -1; i = text.indexOf('\0', i + 1)) count++;
  return count;
}

/** The host part of a request's options, with the `Host` header, from which the server name may be derived. */
class HostPart {
  readonly host: string;
  readonly port: unknown;
  /** The option, not the name that is derived where it is absent. */
  readonly servername: unknown;
  readonly hostHeader: unknown;
  readonly localAddress: unknown;
  readonly family: unknown;
  readonly socketPath: unknown;

  constructor(options: Options, hostHeader: unknown) {
    this.host = (options['host'] as string | undefined) || 'localhost';
    this.port = options['port'];
    this.servername = options['servername'];
    this.hostHeader = hostHeader;
    this.localAddress = options['localAddress'];
    this.family = options['family'];
    this.socketPath = options['socketPath'];
  }

  /** Hot path. */
  isOf(options: Options, hostHeader: unknown): boolean {
    return (
      this.host === options['host'] &&
      this.port === options['port'] &&
      this.hostHeader === hostHeader &&
      this.servername === options['servername'] &&
      this.localAddress === options['localAddress'] &&
      this.family === options['family'] &&
      this.socketPath === options['socketPath']
    );
  }

  /** One string for one host part. */
  key(servername = ''): string {
    const { host, port = '', localAddress = '', family = '', socketPath = '' } = this;
    const parts = [host, port, servername, localAddress, family, socketPath];
    const key = parts.join('\0');
    // NUL is in no valid name, but may begin a socket path. Then the parts are quoted, so that two keys never collide.
    return countNul(key) === parts.length - 1 ? key : JSON.stringify(parts.map(String));
  }

  /** Whether `dial` has this host part. */
  isOfDial(dial: Options, servername: string | undefined): boolean {
    return (
      dial['host'] === this.host &&
      (servername === undefined || dial['servername'] === servername) &&
      OPTIONAL.every((name) => dial[name] === this[name])
    );
  }

  /** Gives the options of a dial this host part. */
  applyTo(dial: Record<string, unknown>, servername: string | undefined): void {
    dial['host'] = this.host;
    if (servername !== undefined) dial['servername'] = servername;
    for (const name of OPTIONAL) {
      if (this[name] !== undefined) dial[name] = this[name];
      else if (name in dial) Reflect.deleteProperty(dial, name);
    }
  }

  serverName(protocol: Protocol): string | undefined {
    return protocol.serverName(this.host, this.servername, this.hostHeader);
  }
}

/**
 * Whether connections with `options` have the same identity with an agent's options and without them.
 *
 * @throws for a `servername` that is not valid
 */
export function isUnaffected(options: Options, agentOptions: Options, protocol: Protocol): boolean {
  const merged = Object.assign(Object.create(null) as Record<string, unknown>, options, agentOptions);
  const names = protocol.profileOptions;
  if (!allSame(profileValues(options, names), profileValues(merged, names))) return false;
  const [own, both] = [new HostPart(options, undefined), new HostPart(merged, undefined)];
  return own.key(own.serverName(protocol)) === both.key(both.serverName(protocol));
}

/** An identity: the server of a connection, whom it trusts, and the client that it is. `T` is the owner's record of it. */
export class Origin<T> {
  readonly protocol: Protocol;
  readonly profile: Profile<Origin<T>>;
  readonly key: string;
  /** `undefined`: none is asked for. */
  readonly servername: string | undefined;
  readonly entry: T;
  readonly #hostPart: HostPart;

  constructor(
    protocol: Protocol,
    profile: Profile<Origin<T>>,
    hostPart: HostPart,
    key: string,
    servername: string | undefined,
    make: (origin: Origin<T>) => T,
  ) {
    this.protocol = protocol;
    this.profile = profile;
    this.key = key;
    this.servername = servername;
    this.#hostPart = hostPart;
    this.entry = make(this);
  }

  /** The host, for people and rules. Only the key tells origins apart. */
  get host(): string {
    return String(this.#hostPart.host);
  }

  get port(): unknown {
    return this.#hostPart.port;
  }

  get defaultPort(): number {
    return this.protocol.defaultPort;
  }

  /** Whether it needs no proxy: it is a path of this machine, or its socket is given. */
  get needsNoWay(): boolean {
    return Boolean(this.#hostPart.socketPath) || this.profile.values.has('socket');
  }

  /** Gives the options of a dial every value of this identity, and no others under these names. */
  applyTo(dial: Record<string, unknown>): void {
    this.profile.applyTo(dial);
    this.#hostPart.applyTo(dial, this.servername);
  }

  /** Whether the options of a dial still have the values of this identity. */
  isOf(dial: Options): boolean {
    return this.profile.isOf(dial) && this.#hostPart.isOfDial(dial, this.servername);
  }
}

/** The number of profiles that are kept; beyond it the least recently used is dropped, with its idle connections. */
const MAX_PROFILES = 256;

/** The same for profiles with functions or objects of a request, which are counted apart. */
const MAX_REFERRING = 256;

/** The same for profiles that only one request may have. */
const MAX_NEW = 8;

/** The number of recent profiles whose options are recognised by reference. */
const MAX_RECENT = 4;

interface Last<T> {
  readonly profile: Profile<Origin<T>>;
  readonly request: RecentOptions;
  readonly agent: RecentOptions;
  readonly agentNamesHost: boolean;
  /** The host part of that request, and its origin. */
  hostPart: HostPart | undefined;
  origin: Origin<T> | undefined;
}

type Shelf<T> = RecentlyUsed<number, Profile<Origin<T>>>;

export class Identities<T> {
  readonly #protocol: Protocol;
  readonly #requestPlaces: Places;
  readonly #agentPlaces: Places;
  readonly #make: (origin: Origin<T>) => T;
  readonly #profiles: Shelf<T>;
  readonly #referring: Shelf<T>;
  readonly #new: Shelf<T>;
  /** The profile that is being moved between these two. */
  #moving: Profile<Origin<T>> | undefined;

  /** The last request's profile, with its options. */
  #last: Last<T> | undefined;
  /** The profiles before it, the latest first: requests of a few kinds often come in turn. */
  readonly #recent: Last<T>[] = [];
  readonly #seen = new WeakSet<object>();

  /**
   * @param make creates the owner's record of a new origin
   * @param forget called with an origin that no further request gets: close its idle connections, keep none
   */
  constructor(make: (origin: Origin<T>) => T, forget: (entry: T) => void, protocol: Protocol = HTTPS) {
    this.#protocol = protocol;
    const { profileOptions } = protocol;
    this.#requestPlaces = placesOf(profileOptions);
    this.#agentPlaces = placesOf([...profileOptions, ...HOST_OPTIONS]);
    this.#make = make;
    const shelf = (max: number): Shelf<T> =>
      new RecentlyUsed(max, (profile) => {
        if (profile !== this.#moving) for (const origin of profile.origins.values()) forget(origin.entry);
      });
    this.#profiles = shelf(MAX_PROFILES);
    this.#referring = shelf(MAX_REFERRING);
    this.#new = shelf(MAX_NEW);
  }

  /** The number of profiles that are kept. */
  get size(): number {
    return this.#profiles.size + this.#referring.size + this.#new.size;
  }

  /**
   * Hot path. The identity of a request. The agent's options win over the request's, `undefined` ones too, as in
   * Node's agent.
   */
  resolve(options: Options, agentOptions: Options, hostHeader: unknown): Origin<T> {
    let last = this.#last;
    if (!last || !last.request.recognises(options) || !last.agent.recognises(agentOptions)) {
      last = this.#recall(options, agentOptions) ?? this.#look(options, agentOptions);
      this.#last = last;
    } else if (last.profile.onProbation) {
      this.#keep(last.profile);
    }
    const from = last.agentNamesHost ? { ...options, ...agentOptions } : options;
    if (last.origin && last.hostPart?.isOf(from, hostHeader)) return last.origin;

    const { profile } = last;
    const part = new HostPart(from, hostHeader);
    const servername = part.serverName(this.#protocol);
    const key = part.key(servername);
    let origin = profile.origins.get(key);
    if (!origin) {
      origin = new Origin(this.#protocol, profile, part, key, servername, this.#make);
      profile.origins.set(key, origin);
    }
    last.hostPart = part;
    last.origin = origin;
    return origin;
  }

  /** Drops all identities: later requests get new ones, even with equal options. `forget` is called for the old ones. */
  renew(): void {
    this.#last = undefined;
    this.#recent.length = 0;
    for (const shelf of [this.#profiles, this.#referring, this.#new]) shelf.clear();
  }

  /** No connection of `origin` is open any more. */
  retire(origin: Origin<T>): void {
    const { profile } = origin;
    if (profile.origins.get(origin.key) === origin) profile.origins.delete(origin.key);
    if (this.#last?.origin === origin) this.#last.origin = undefined;
    this.#dropUnused(profile);
  }

  /** Finds one of the profiles before the last one, by the very same values. */
  #recall(options: Options, agentOptions: Options): Last<T> | undefined {
    const before = this.#last;
    const recent = this.#recent;
    for (let i = 0; i < recent.length; i++) {
      const one = recent[i] as Last<T>;
      if (!one.request.recognises(options) || !one.agent.recognises(agentOptions)) continue;
      recent.splice(i, 1);
      const { profile, origin } = one;
      // The profile may have been dropped meanwhile, and its origin retired.
      if (!this.#profiles.get(profile.id) && !this.#referring.get(profile.id)) return undefined;
      if (origin && profile.origins.get(origin.key) !== origin) one.origin = undefined;
      if (before) this.#setAside(before);
      return one;
    }
    return undefined;
  }

  #setAside(before: Last<T>): void {
    this.#last = undefined;
    if (before.profile.onProbation) {
      this.#dropUnused(before.profile);
      return;
    }
    this.#recent.unshift(before);
    if (this.#recent.length > MAX_RECENT) this.#recent.pop();
  }

  /** Finds the profile by content, or makes it. */
  #look(options: Options, agentOptions: Options): Last<T> {
    if (this.#last) this.#setAside(this.#last);
    // As for a dial, own properties count.
    const merged = Object.assign(Object.create(null) as Record<string, unknown>, options, agentOptions);
    const values = profileValues(merged, this.#protocol.profileOptions);
    const profile = this.#find(values) ?? this.#create(values, agentOptions);
    return {
      profile,
      request: new RecentOptions(options, this.#requestPlaces, false),
      agent: new RecentOptions(agentOptions, this.#agentPlaces, true),
      agentNamesHost: HOST_OPTIONS.some((name) => Object.hasOwn(agentOptions, name)),
      hostPart: undefined,
      origin: undefined,
    };
  }

  #find(values: ProfileValues): Profile<Origin<T>> | undefined {
    for (const [, reference] of references(values)) if (!this.#seen.has(reference)) return undefined;
    for (const shelf of [this.#profiles, this.#referring, this.#new]) {
      // Most recently used first.
      for (const profile of shelf.values()) {
        if (!profile.matches(values)) continue;
        if (profile.onProbation) this.#keep(profile);
        else shelf.get(profile.id);
        return profile;
      }
    }
    return undefined;
  }

  #create(values: ProfileValues, agentOptions: Options): Profile<Origin<T>> {
    const profile = new Profile<Origin<T>>(values, this.#protocol.profileOptions);
    let shelf = this.#profiles;
    for (const [name, reference] of references(values)) {
      if (agentOptions[name] !== reference) {
        shelf = this.#referring;
        if (!this.#seen.has(reference)) profile.onProbation = true;
      }
      this.#seen.add(reference);
    }
    if (profile.onProbation) shelf = this.#new;
    shelf.set(profile.id, profile);
    return profile;
  }

  /** A second request has the profile: its probation ends. */
  #keep(profile: Profile<Origin<T>>): void {
    profile.onProbation = false;
    this.#moving = profile;
    this.#new.delete(profile.id);
    this.#moving = undefined;
    this.#referring.set(profile.id, profile);
  }

  /** Drops a profile on probation when its last connection is closed: no second request has come with it. */
  #dropUnused(profile: Profile<Origin<T>>): void {
    if (profile.onProbation && profile.origins.size === 0 && profile !== this.#last?.profile) {
      this.#new.delete(profile.id);
    }
  }
}
