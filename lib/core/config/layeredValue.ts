/** Values above `switchback.yml`, and what is kept of where they stood. */

/** As its layer holds it. */
export type LayeredValue = {
  readonly layer: 'parameter-store' | 'environment';
  /** Where it stands, for a person: the parameter's name, the variable's. */
  readonly place: string;
  /** The way to the key; a variable's words are in capitals: BAKE_SECONDS. */
  readonly words: readonly string[];
  /** JSON, or plain text; null for a secret, which is not read. */
  readonly text: string | null;
};

/** A key that does not have the file's value, and where its value stood. */
export type Laid = { readonly key: string; readonly place: string };
