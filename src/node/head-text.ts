/**
 * Replaces the head of a request that Node's client has made: text, which may wait in the output queue, before the body. Nothing of it was sent yet.
 */
import type { Output } from './client-request.js';

/** Fields of a request that Node does not document. */
export interface HeadFields {
  _header: string | null;
  outputData?: Output[];
  outputSize: number;
}

/** @param head the text as it is: `req._header` */
export function replaceHead(req: HeadFields, head: string, changed: string): void {
  req._header = changed;
  const first = req.outputData?.[0];
  if (typeof first?.data !== 'string' || !first.data.startsWith(head)) return;
  first.data = changed + first.data.slice(head.length);
  req.outputSize += changed.length - head.length;
}
