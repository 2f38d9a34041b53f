/** Colour, where the terminal has it and nobody has said no: `NO_COLOR`, `FORCE_COLOR` and `TERM` count as they do for Node itself. */
import { WriteStream } from 'node:tty';
import * as util from 'node:util';

type Format = Parameters<typeof util.styleText>[0];
export type Paint = (format: Format, text: string) => string;

export const plain: Paint = (_format, text) => text;

const coloured: Paint = (format, text) => util.styleText(format, text, { validateStream: false });

/** The function that paints text that goes to `stream`. */
export function paintFor(stream: { readonly isTTY?: boolean }, env: NodeJS.ProcessEnv = process.env): Paint {
  if (typeof util.styleText !== 'function') return plain;
  if (!stream.isTTY && env['FORCE_COLOR'] === undefined) return plain;
  // One bit of depth is black and white.
  return WriteStream.prototype.getColorDepth.call(stream, env) > 1 ? coloured : plain;
}
