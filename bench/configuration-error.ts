/** The user asked for something that cannot be done: a message and exit code 2, no stack trace. */
export class ConfigurationError extends Error {}
