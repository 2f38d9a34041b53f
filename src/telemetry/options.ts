/** Options of the entries beside the main one. */
import { invalidType } from '../errors.js';

/** `null` is not given, as everywhere. @throws `ERR_INVALID_ARG_TYPE` */
export function optionsOf(options: unknown): object {
  if (options === undefined || options === null) return {};
  if (typeof options !== 'object') throw invalidType('options', 'of type object', options);
  return options;
}
