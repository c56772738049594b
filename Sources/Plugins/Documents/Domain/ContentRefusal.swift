/// Why the content of a file is not taken. The words name what was found, never bytes of the file.
enum ContentRefusal: Error, Hashable, Sendable {
    /// The content is of another type than the one declared.
    case untrue(String)
    /// Something in it runs: a program, a macro, a script, an embedded file.
    case dangerous(String)
    case encrypted(String)
    /// It cannot be read as its type.
    case damaged(String)
    /// A bomb: unpacked it is far larger than it is.
    case expandsTooFar(String)
}

/// Bounds on what a packed file may unpack to; reference data.
struct UnpackingLimits: Hashable, Sendable {
    var bytes: Int64
    /// Most bytes unpacked for each byte packed, over the whole file.
    var ratio: Int64
    var entries: Int
}
