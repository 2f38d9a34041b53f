/**
 * The pool key: which requests may share a connection. An identity (`Origin`) is a TLS profile and a host part.
 *
 * Identities are interned: a request's options are compared, by reference, with those of the request before,
 * and only when that fails by content. No string with a certificate in it is ever built. Values count by
 * content, functions and contexts by identity.
 *
 * Nothing is kept for ever: an origin goes when nothing of it is open, and profiles are bounded. Functions and objects
 * that come with one request and never again (a new `checkServerIdentity` closure each time) push out nothing else, and
 * leave neither connections nor sessions behind.
 *
 * A host counts as it is written, as in Node's agent: `LOCALHOST`, `localhost` and `localhost.` are three. A port counts by its digits.
 */
import type { Options } from './option-value.js';
import { LRUCache } from 'lru-cache';
import { invalidType } from '../errors.js';
import { RecentOptions, placesOf } from './recent-options.js';
import { allSame, PROFILE_OPTIONS, Profile, profileValues, references } from './profile.js';
import type { ProfileValues } from './profile.js';
import { serverNameFor } from './server-name.js';

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

  /** One string for one host part. */
  key(servername: string): string {
    const { host, port = '', localAddress = '', family = '', socketPath = '' } = this;
    const parts = [host, port, servername, localAddress, family, socketPath];
    const key = parts.join('\0');
    // NUL is in no valid name, but may begin a socket path: the key is not to be taken for another one.
    return countNul(key) === parts.length - 1 ? key : JSON.stringify(parts.map(String));
  }

  /** Whether `dial` was given this one. */
  isOfDial(dial: Options, servername: string): boolean {
    return (
      dial['host'] === this.host &&
      dial['servername'] === servername &&
      OPTIONAL.every((name) => dial[name] === this[name])
    );
  }

  /** Gives the options of a dial this host part. */
  applyTo(dial: Record<string, unknown>, servername: string): void {
    dial['host'] = this.host;
    dial['servername'] = servername;
    for (const name of OPTIONAL) {
      if (this[name] !== undefined) dial[name] = this[name];
      else if (name in dial) Reflect.deleteProperty(dial, name);
    }
  }

  serverName(): string {
    const given = this.servername;
    if (typeof given === 'string') return given;
    // tls.connect refuses it too, but leaves behind a socket whose errors nobody hears.
    if (given) throw invalidType('options.servername', 'of type string', given);
    return serverNameFor(this.host, this.hostHeader);
  }
}

/**
 * Whether connections with `options` are to the same, and as the same, with an agent's options and without them.
 *
 * @throws for a `servername` that is not valid
 */
export function isUnaffected(options: Options, agentOptions: Options): boolean {
  const merged = Object.assign(Object.create(null) as Record<string, unknown>, options, agentOptions);
  if (!allSame(profileValues(options), profileValues(merged))) return false;
  const [own, both] = [new HostPart(options, undefined), new HostPart(merged, undefined)];
  return own.key(own.serverName()) === both.key(both.serverName());
}

/** Whom a connection is to, and as whom. `T` is what the owner keeps for it. */
export class Origin<T> {
  readonly profile: Profile<Origin<T>>;
  readonly key: string;
  readonly servername: string;
  readonly entry: T;
  readonly #hostPart: HostPart;

  constructor(
    profile: Profile<Origin<T>>,
    hostPart: HostPart,
    key: string,
    servername: string,
    make: (origin: Origin<T>) => T,
  ) {
    this.profile = profile;
    this.key = key;
    this.servername = servername;
    this.#hostPart = hostPart;
    this.entry = make(this);
  }

  /** For people and rules. Only the key tells origins apart. */
  get host(): string {
    return String(this.#hostPart.host);
  }

  get port(): unknown {
    return this.#hostPart.port;
  }

  /** Gives the options of a dial every value that this identity stands for, and no other values of these names. */
  applyTo(dial: Record<string, unknown>): void {
    this.profile.applyTo(dial);
    this.#hostPart.applyTo(dial, this.servername);
  }

  /** Whether nobody has changed such options of a dial since. */
  isOf(dial: Options): boolean {
    return this.profile.isOf(dial) && this.#hostPart.isOfDial(dial, this.servername);
  }
}

/** Profiles kept; beyond that the least recently used goes, and its idle connections with it. */
const MAX_PROFILES = 256;

/** The same, of profiles with functions or objects of a request in them: they take no other profile's place. */
const MAX_REFERRING = 256;

/** The same, of those that one request alone may have. */
const MAX_NEW = 8;

/** Kinds of requests that are recognised without a look at what is in their options. */
const MAX_RECENT = 4;

const REQUEST_PLACES = placesOf(PROFILE_OPTIONS);
const AGENT_PLACES = placesOf([...PROFILE_OPTIONS, ...HOST_OPTIONS]);

interface Last<T> {
  readonly profile: Profile<Origin<T>>;
  readonly request: RecentOptions;
  readonly agent: RecentOptions;
  readonly agentNamesHost: boolean;
  /** The host part of that request, and what it came to. */
  hostPart: HostPart | undefined;
  origin: Origin<T> | undefined;
}

type Shelf<T> = LRUCache<number, Profile<Origin<T>>>;

export class Identities<T> {
  readonly #make: (origin: Origin<T>) => T;
  readonly #profiles: Shelf<T>;
  readonly #referring: Shelf<T>;
  readonly #new: Shelf<T>;
  /** From one of these to another. */
  #moving: Profile<Origin<T>> | undefined;

  /** The last request's profile, and how to recognise it. */
  #last: Last<T> | undefined;
  /** Those before it, the latest first: requests of a few kinds often come in turn. */
  readonly #recent: Last<T>[] = [];
  readonly #seen = new WeakSet<object>();

  /**
   * @param make creates what the owner keeps for a new origin
   * @param forget an origin that no request will be given any more: close what is idle, keep nothing
   */
  constructor(make: (origin: Origin<T>) => T, forget: (entry: T) => void) {
    this.#make = make;
    const shelf = (max: number): Shelf<T> =>
      new LRUCache({
        max,
        disposeAfter: (profile) => {
          if (profile !== this.#moving) for (const origin of profile.origins.values()) forget(origin.entry);
        },
      });
    this.#profiles = shelf(MAX_PROFILES);
    this.#referring = shelf(MAX_REFERRING);
    this.#new = shelf(MAX_NEW);
  }

  /** How many profiles are kept. */
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
    const servername = part.serverName();
    const key = part.key(servername);
    let origin = profile.origins.get(key);
    if (!origin) {
      origin = new Origin(profile, part, key, servername, this.#make);
      profile.origins.set(key, origin);
    }
    last.hostPart = part;
    last.origin = origin;
    return origin;
  }

  /** All identities from now on are new ones, also those that equal an old one: `forget` is called for the old. */
  renew(): void {
    this.#last = undefined;
    this.#recent.length = 0;
    for (const shelf of [this.#profiles, this.#referring, this.#new]) shelf.clear();
  }

  /** Nothing is open under `origin` any more. */
  retire(origin: Origin<T>): void {
    const { profile } = origin;
    if (profile.origins.get(origin.key) === origin) profile.origins.delete(origin.key);
    if (this.#last?.origin === origin) this.#last.origin = undefined;
    this.#dropUnused(profile);
  }

  /** Not the last profile: one of those before it, by the very same values. */
  #recall(options: Options, agentOptions: Options): Last<T> | undefined {
    const before = this.#last;
    const recent = this.#recent;
    for (let i = 0; i < recent.length; i++) {
      const one = recent[i] as Last<T>;
      if (!one.request.recognises(options) || !one.agent.recognises(agentOptions)) continue;
      recent.splice(i, 1);
      const { profile, origin } = one;
      // It may have been dropped meanwhile, and its origin retired.
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

  /** None of those: find it by content, or make it. */
  #look(options: Options, agentOptions: Options): Last<T> {
    if (this.#last) this.#setAside(this.#last);
    // As for the dial: what counts is their own.
    const merged = Object.assign(Object.create(null) as Record<string, unknown>, options, agentOptions);
    const values = profileValues(merged);
    const profile = this.#find(values) ?? this.#create(values, agentOptions);
    return {
      profile,
      request: new RecentOptions(options, REQUEST_PLACES, false),
      agent: new RecentOptions(agentOptions, AGENT_PLACES, true),
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
    const profile = new Profile<Origin<T>>(values);
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

  /** A second request has it. */
  #keep(profile: Profile<Origin<T>>): void {
    profile.onProbation = false;
    this.#moving = profile;
    this.#new.delete(profile.id);
    this.#moving = undefined;
    this.#referring.set(profile.id, profile);
  }

  /** One that nobody came with a second time while anything of it was open, will not be asked for again. */
  #dropUnused(profile: Profile<Origin<T>>): void {
    if (profile.onProbation && profile.origins.size === 0 && profile !== this.#last?.profile) {
      this.#new.delete(profile.id);
    }
  }
}
