/** A graph on a page in CloudWatch, and where it stands. */

export type Metric = readonly (string | { readonly label: string })[];

export type Widget = { readonly title: string; readonly stat: string; readonly metrics: readonly Metric[] };

/** Three in a row, eight of the grid's twenty-four columns each. */
export const placed = ({ title, stat, metrics }: Widget, index: number) => ({
  type: 'metric',
  x: (index % 3) * 8,
  y: Math.floor(index / 3) * 6,
  width: 8,
  height: 6,
  properties: { title, stat, period: 60, region: '${AWS::Region}', view: 'timeSeries', metrics },
});
