/**
 * Loads modules when they are first needed: warnings about names of options that mean nothing. The build puts them into another file of dist/, and
 * has that loaded here, so that nothing which is loaded before may import them. ARCHITECTURE.md, "What is loaded when", says how.
 */
import * as optionNames from './option-names.js';

export function loadOptionNames(): typeof optionNames {
  return optionNames;
}
