/** The broker's callback on the site of this backend. */
export function callbackUrlOf(siteUrl: string | undefined, broker: string): string | undefined {
  return siteUrl === undefined ? undefined : `${siteUrl}/callback/${broker}`
}
