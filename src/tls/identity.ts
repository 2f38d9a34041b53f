/**
 * The pool key: which requests may share a connection. An identity (`Origin`) is a TLS profile and a host part.
 *
 * Identities are interned: a request's options are compared, by reference, with those of the request before,
 * and only when that fails by content. No string with a certificate in it is ever built. Values count by
 * content, functions and contexts by identity.
 *
 * Nothing is kept for ever: an origin goes when nothing of it is open, profiles are bounded, and functions that
 * come with one request and never again (a new `checkServerIdentity` closure each time) are bounded tightly.
 */
import { LRUCache } from 'lru-cache';
import { Glance, placesOf } from './glance.js';
import { PROFILE_OPTIONS, Profile } from './profile.js';
import { serverNameFor } from './server-name.js';

/** The options of a request or of an agent: any object. */
export type Options = Readonly<Record<string, unknown>>;

/** The options of the host part. An agent's would replace those of every request. */
const HOST_OPTIONS = ['host', 'port', 'servername', 'localAddress', 'family', 'socketPath'] as const;

/** The host part of a request's options, and what its server name is derived from. */
class HostPart {
  readonly host: string;
  readonly port: unknown;
  /** The option, not what is derived in its place. */
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

  serverName(): string {
    const given = this.servername as string | undefined;
    return given || given === '' ? given : serverNameFor(this.host, this.hostHeader);
  }
}

/** Whom a connection is to, and as whom. `T` is what the owner keeps for it. */
export class Origin<T> {
  readonly profile: Profile<Origin<T>>;
  readonly key: string;
  readonly servername: string;
  readonly entry: T;
  readonly #part: HostPart;

  constructor(
    profile: Profile<Origin<T>>,
    key: string,
    part: HostPart,
    servername: string,
    make: (origin: Origin<T>) => T,
  ) {
    this.profile = profile;
    this.key = key;
    this.#part = part;
    this.servername = servername;
    this.entry = make(this);
  }

  /** Gives a dial what this identity stands for where it has come to have something else: options may change while a request waits. */
  applyTo(dial: Record<string, unknown>): void {
    this.profile.applyTo(dial);
    for (const name of HOST_OPTIONS) {
      const value = this.#part[name];
      if (dial[name] === value) continue;
      if (value === undefined) Reflect.deleteProperty(dial, name);
      else dial[name] = value;
    }
  }
}

/** Profiles kept; beyond that the least recently used goes, and its idle connections with it. */
const MAX_PROFILES = 256;

/** Profiles kept whose functions were never seen before: they may be seen again, or be one request's closures. */
const MAX_ON_PROBATION = 8;

const REQUEST_PLACES = placesOf(PROFILE_OPTIONS);
const AGENT_PLACES = placesOf([...PROFILE_OPTIONS, ...HOST_OPTIONS]);

interface Last<T> {
  readonly profile: Profile<Origin<T>>;
  readonly request: Glance;
  readonly agent: Glance;
  readonly agentNamesHost: boolean;
  /** The host part of that request, and what it came to. */
  hostPart: HostPart | undefined;
  origin: Origin<T> | undefined;
}

export class Identities<T> {
  readonly #make: (origin: Origin<T>) => T;
  readonly #profiles: LRUCache<number, Profile<Origin<T>>>;

  /** The last request's profile, and how to recognise it. */
  #last: Last<T> | undefined;

  readonly #functionsSeen = new WeakSet<object>();
  #probation: Profile<Origin<T>>[] = [];

  /**
   * @param make creates what the owner keeps for a new origin
   * @param forget an origin that no request will be given any more: close what is idle, keep nothing
   */
  constructor(make: (origin: Origin<T>) => T, forget: (entry: T) => void) {
    this.#make = make;
    this.#profiles = new LRUCache({
      max: MAX_PROFILES,
      dispose: (profile) => {
        for (const origin of profile.origins.values()) forget(origin.entry);
      },
    });
  }

  /** How many profiles are kept. */
  get size(): number {
    return this.#profiles.size;
  }

  /**
   * Hot path. The identity of a request. The agent's options win over the request's, `undefined` ones too, as in
   * Node's agent.
   */
  resolve(options: Options, agentOptions: Options, hostHeader: unknown): Origin<T> {
    let last = this.#last;
    if (!last || !last.request.recognises(options) || !last.agent.recognises(agentOptions)) {
      last = this.#last = this.#look(options, agentOptions);
    }
    const from = last.agentNamesHost ? { ...options, ...agentOptions } : options;
    if (last.origin && last.hostPart?.isOf(from, hostHeader)) return last.origin;

    const { profile } = last;
    const part = new HostPart(from, hostHeader);
    const servername = part.serverName();
    // NUL is in no valid part, and the count of parts is fixed: two different hosts never make one key.
    const { host, port = '', localAddress = '', family = '', socketPath = '' } = part;
    const key = [host, port, servername, localAddress, family, socketPath].join('\0');
    let origin = profile.origins.get(key);
    if (!origin) {
      origin = new Origin(profile, key, part, servername, this.#make);
      profile.origins.set(key, origin);
    }
    last.hostPart = part;
    last.origin = origin;
    return origin;
  }

  /** All identities from now on are new ones, also those that equal an old one: `forget` is called for the old. */
  renew(): void {
    this.#last = undefined;
    this.#probation = [];
    this.#profiles.clear();
  }

  /** Nothing is open under `origin` any more. */
  retire(origin: Origin<T>): void {
    const { profile } = origin;
    if (profile.origins.get(origin.key) === origin) profile.origins.delete(origin.key);
    if (this.#last?.origin === origin) this.#last.origin = undefined;
    if (profile.origins.size === 0 && profile !== this.#last?.profile) this.#drop(profile);
  }

  /** Not the last profile: find it by content, or make it. */
  #look(options: Options, agentOptions: Options): Last<T> {
    const before = this.#last?.profile;
    const values = new Map<string, unknown>();
    for (const name of PROFILE_OPTIONS) {
      const value = Object.hasOwn(agentOptions, name) ? agentOptions[name] : options[name];
      if (value !== undefined) values.set(name, value);
    }
    const profile = this.#find(values) ?? this.#create(values, options, agentOptions);
    if (before && before !== profile && before.origins.size === 0) this.#drop(before);
    return {
      profile,
      request: new Glance(options, REQUEST_PLACES, false),
      agent: new Glance(agentOptions, AGENT_PLACES, true),
      agentNamesHost: HOST_OPTIONS.some((name) => Object.hasOwn(agentOptions, name)),
      hostPart: undefined,
      origin: undefined,
    };
  }

  #find(values: ReadonlyMap<string, unknown>): Profile<Origin<T>> | undefined {
    // Most recently used first.
    for (const profile of this.#profiles.values()) {
      if (!profile.matches(values)) continue;
      this.#profiles.get(profile.id);
      if (profile.onProbation) {
        profile.onProbation = false;
        this.#probation = this.#probation.filter((other) => other !== profile);
      }
      return profile;
    }
    return undefined;
  }

  #create(values: ReadonlyMap<string, unknown>, options: Options, agentOptions: Options): Profile<Origin<T>> {
    const profile = new Profile<Origin<T>>(values);
    this.#profiles.set(profile.id, profile);
    let isNew = false;
    for (const [name, value] of values) {
      if (typeof value !== 'function' || agentOptions[name] === value || options[name] !== value) continue;
      isNew ||= !this.#functionsSeen.has(value);
      this.#functionsSeen.add(value);
    }
    if (isNew) {
      profile.onProbation = true;
      this.#probation.push(profile);
      const oldest = this.#probation.length > MAX_ON_PROBATION && this.#probation.shift();
      if (oldest) this.#drop(oldest);
    }
    return profile;
  }

  #drop(profile: Profile<Origin<T>>): void {
    this.#profiles.delete(profile.id);
    if (profile.onProbation) this.#probation = this.#probation.filter((other) => other !== profile);
  }
}
