/** The bug that is switched on. One test file has one copy of this module, and the mocks of that file ask it. */
export const active: { name: string } = { name: '' }
