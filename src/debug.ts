/** `DEBUG=pooling-https-agent` prints what the pool does. */
import createDebug from 'debug';

export const debug: createDebug.Debugger = createDebug('pooling-https-agent');
