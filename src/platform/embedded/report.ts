/** Where the embedded services say what happens to them. */
export type Report = (level: 'info' | 'warn' | 'error', message: string, details?: object) => void
