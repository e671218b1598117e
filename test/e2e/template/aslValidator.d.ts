declare module 'asl-validator' {
  /** @returns whether the definition is valid Amazon States Language, and what is wrong with it */
  function validate(
    definition: unknown,
    options?: { readonly checkArn?: boolean },
  ): { readonly isValid: boolean; errorsText(): string };
  export = validate;
}
