/**
 * What makes two names of a news source one. Folded here, because `lower()` of a database follows its
 * locale: a Turkish one makes a dotless i of the I in `CITI`.
 */
export const sourceKey = (name: string): string => name.trim().toLowerCase()
