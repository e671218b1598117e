/**
 * CloudFormation as values: what a template may hold, and the few intrinsic functions that are written here.
 */

export type Cfn =
  | string
  | number
  | boolean
  | null
  | readonly Cfn[]
  | { readonly [key: string]: Cfn | undefined };

export type Resource = {
  readonly Type: string;
  readonly Properties?: { readonly [key: string]: Cfn | undefined };
  readonly DependsOn?: string | readonly string[];
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
};

export type Resources = Readonly<Record<string, Resource>>;

export const ref = (id: string) => ({ Ref: id });
export const att = (id: string, attribute: string) => ({ 'Fn::GetAtt': [id, attribute] });
export const sub = (text: string) => ({ 'Fn::Sub': text });

/** An ARN in the stack's own partition, region and account. */
export const localArn = (service: string, resource: string) =>
  sub(`arn:\${AWS::Partition}:${service}:\${AWS::Region}:\${AWS::AccountId}:${resource}`);

/** `on-alarm` → `OnDashalarm`: osls spells a function's name so in its logical ids. */
export const functionId = (verb: string): string =>
  verb.replaceAll('-', 'Dash').replace(/^./, (letter) => letter.toUpperCase());

/** `on-alarm` → `OnAlarm`: the name in state machines and in our own logical ids. */
export const pascal = (kebab: string): string =>
  kebab.replace(/(?:^|[^A-Za-z0-9]+)([a-z0-9])/gi, (_, letter: string) => letter.toUpperCase());

export const functionArn = (verb: string) => att(`${functionId(verb)}LambdaFunction`, 'Arn');

/** The logical id of a function's or a machine's role. */
export const roleId = (verb: string): string => `${pascal(verb)}Role`;
