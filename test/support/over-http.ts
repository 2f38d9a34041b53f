/** Import this first, and the tests that are imported then speak `http:` instead of `https:`: see protocol.ts. */
process.env['TEST_PROTOCOL'] = 'http:';

/** Tests that find errors by chance look half as long: what they test is mostly the same over both protocols. */
process.env['TEST_EFFORT'] = String(Number(process.env['TEST_EFFORT'] ?? 1) / 2);
