/**
 * Types that nothing here acts on: roles, policies, keys, dashboards, buckets. They get the id and the
 * attributes that others refer to them by; who relies on more finds out on AWS.
 */
import { randomUUID } from 'node:crypto';
import { formatArn } from '../arn.ts';
import type { Made, Making, Properties, ResourceType } from './resourceType.ts';

const inert = (make: (properties: Properties, making: Making) => Made): ResourceType => ({
  create: async (properties, making) => make(properties, making),
  update: async (made) => made,
  delete: async () => undefined,
});

const named = (property: string) =>
  inert((properties, making) => ({ id: properties[property] ?? making.name(), attributes: {} }));

/** IAM's ARNs name no region. */
const globalArn = (making: Making, service: string, resource: string) =>
  formatArn(service, { ...making.place, region: '' }, resource);

export const inertTypes: Readonly<Record<string, ResourceType>> = {
  'AWS::IAM::Role': inert(({ RoleName, Path = '/' }, making) => {
    const id = RoleName ?? making.name();
    const RoleId = `AROA${id.toUpperCase().replace(/\W/g, '').slice(0, 16)}`;
    return { id, attributes: { Arn: globalArn(making, 'iam', `role${Path}${id}`), RoleId } };
  }),
  'AWS::IAM::ManagedPolicy': inert(({ ManagedPolicyName }, making) => {
    const id = globalArn(making, 'iam', `policy/${ManagedPolicyName ?? making.name()}`);
    return { id, attributes: { PolicyArn: id } };
  }),
  'AWS::KMS::Key': inert((_, making) => {
    const id = randomUUID();
    return { id, attributes: { Arn: formatArn('kms', making.place, `key/${id}`), KeyId: id } };
  }),
  'AWS::KMS::Alias': named('AliasName'),
  'AWS::CloudWatch::Dashboard': named('DashboardName'),
  'AWS::Events::EventBusPolicy': named('StatementId'),
  'AWS::S3::Bucket': inert(({ BucketName }, making) => {
    const id = (BucketName ?? making.name()).toLowerCase();
    return {
      id,
      attributes: { Arn: `arn:aws:s3:::${id}`, DomainName: `${id}.s3.amazonaws.com` },
    };
  }),
  'AWS::S3::BucketPolicy': named('Bucket'),
};
