/** How a container says that it is well: a program inside that ends with 0. Times in milliseconds. */
export type Health = { argv: string[]; interval: number; timeout: number; retries: number; start: number }
