/**
 * Endpoints without the SDK's rule engine, whose rules and partitions are a sixteenth of a function's bytes:
 * a regional service is reached at `https://PREFIX.REGION.SUFFIX`, and the suffix follows from the region's
 * name. The build puts this in the place of the clients' own resolvers (scripts/build/lambdaSdk.mjs); a test
 * holds it to what they answer in every region. AWS_ENDPOINT_URL stays the SDK's own.
 */

type Parameters = {
  readonly Endpoint?: string;
  readonly Region?: string;
  readonly UseFIPS?: boolean;
  readonly UseDualStack?: boolean;
};

/** Partitions that do not end in amazonaws.com, by the beginning of their regions' names. */
const suffixes: readonly (readonly [string, string])[] = [
  ['cn-', 'amazonaws.com.cn'],
  ['eusc-', 'amazonaws.eu'],
  ['us-iso-', 'c2s.ic.gov'],
  ['us-isob-', 'sc2s.sgov.gov'],
  ['eu-isoe-', 'cloud.adc-e.uk'],
  ['us-isof-', 'csp.hci.ic.gov'],
];

/**
 * @param prefix of the service's hosts: `monitoring`
 * @throws Error for what the rules know besides: FIPS and dual-stack endpoints
 */
export const regionalEndpoints =
  (prefix: string) =>
  ({ Endpoint, Region, UseFIPS, UseDualStack }: Parameters) => {
    if (UseFIPS || UseDualStack) {
      throw new Error(
        'FIPS and dual-stack endpoints are left out of functions: take AWS_USE_FIPS_ENDPOINT and ' +
          'AWS_USE_DUALSTACK_ENDPOINT away, and name the endpoint with AWS_ENDPOINT_URL',
      );
    }
    const [, suffix] = suffixes.find(([beginning]) => Region?.startsWith(beginning)) ?? ['', 'amazonaws.com'];
    const url = new URL(Endpoint ?? `https://${prefix}.${Region}.${suffix}`);
    return { url, properties: {}, headers: {} };
  };
