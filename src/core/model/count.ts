/** So many of them, in words for the middle of a sentence: `no images`, `one image`, `2 images`. */
export const count = (many: number, one: string, several = `${one}s`): string =>
  many === 1 ? `one ${one}` : `${many === 0 ? 'no' : many} ${several}`

/** The same as the beginning of a sentence: `There is one image`, `There are 2 images`. */
export const thereAre = (many: number, one: string, several?: string): string =>
  `There ${many === 1 ? 'is' : 'are'} ${count(many, one, several)}`
