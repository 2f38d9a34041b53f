/** Finds the symbols by which Node keeps its own state on objects of others: by their description, as Node exports none of them. */

export function ownSymbol(object: object, description: string): symbol | undefined {
  return Object.getOwnPropertySymbols(object).find((symbol) => symbol.description === description);
}
