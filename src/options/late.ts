/**
 * Warnings about names of options that mean nothing. The build replaces this module
 * (scripts/lib/late-forms.mjs).
 */
import * as optionNames from './option-names.js';

export function loadOptionNames(): typeof optionNames {
  return optionNames;
}
