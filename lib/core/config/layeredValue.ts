/** Values above `switchback.yml`, and what is kept of where they stood. */

/** As its layer holds it. */
export type LayeredValue = {
  readonly layer: 'parameter-store' | 'environment' | 'request';
  /** Where it stands, for a person: the parameter's name, the variable's. */
  readonly place: string;
  /** The way to the key; a variable's words are in capitals: BAKE_SECONDS. */
  readonly words: readonly string[];
  /** JSON, or plain text; null for a secret, which is not read. */
  readonly text: string | null;
};

/**
 * Laid above all others: a service that is past a step that nothing undoes, once it has moved, has no window
 * in which anything automatic takes it back, whatever a layer says of other days.
 */
export const oneWayValue = (migrationId: string): LayeredValue => ({
  layer: 'request',
  place: `migration ${migrationId}, which says that nothing undoes this step`,
  words: ['rollbackWindowSeconds'],
  text: '0',
});

/** A key that does not have the file's value, and where its value stood. */
export type Laid = { readonly key: string; readonly place: string };
