"""The rules of ruff that a review reports, how bad each is, and why in one line.

Chosen by one question: would a senior reviewer call it a bug, a hole or a trap? Style is left to the
project's own linter. A rule that ruff drops is simply no longer found; a new one is not reported
before it is listed here. https://docs.astral.sh/ruff/rules/
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from review_bot.finding import Severity

#: Whole families of rules: selectors that stay valid when single rules come and go.
FAMILIES = ("F", "E7", "E9", "B", "S", "PLE", "PLW", "ASYNC", "RUF", "T10", "DTZ", "LOG", "G", "PGH", "PT0")

#: Rules whose finding may be caused by an edit of another line of the same file.
AT_A_DISTANCE = frozenset({"invalid-syntax", "F401", "F811", "F821", "F822", "F823", "F841"})

#: Rules that fire on what package fronts, and tests, examples and scripts do on purpose.
NOT_IN_INIT = frozenset({"F401"})
NOT_SHIPPED = frozenset({"B018", "F401", "S110", "S112"})


@dataclass(frozen=True, slots=True)
class Rule:
    """How a rule is reported. Security rules are not reported in tests."""

    severity: Severity
    category: str
    why: str


def _rules(severity: Severity, category: str, table: str) -> Iterator[tuple[str, Rule]]:
    for line in table.strip().splitlines():
        codes, _, why = line.strip().partition(": ")
        for code in codes.split():
            yield code, Rule(severity, category, why)


RULES: dict[str, Rule] = {
    "invalid-syntax": Rule("critical", "bug", "Python cannot parse the file; nothing in it will run."),
    **dict(
        _rules(
            "major",
            "bug",
            """
            F821: The name does not exist here; using it raises NameError.
            F822: The module exports a name that it does not have; importing it raises.
            F823 PLE0118: The name is read before it has a value; that raises UnboundLocalError.
            F811: The later definition silently replaces the earlier one, which never runs.
            F404 F406 F407 F701 F702 F704 F706 F707 F722 PLE0100 PLE0115 PLE0116 PLE0117 PLE1142 PLE1700: \
Python refuses this at compile time or when it gets here.
            F501 F502 F503 F505 F506 F507 F508 F509 PLE1300 PLE1307: Formatting raises when this line runs.
            F504: The format string ignores an argument, so a value is missing from the text.
            F521 F524 F525: Formatting raises when this line runs.
            F522 F523: The format string ignores an argument, so a value is missing from the text.
            F601 F602 B035: Only the last value of a repeated key survives.
            F621 F622: Python refuses this assignment.
            F631 F634: A non-empty tuple is always true, so the check never fails.
            F632: `is` compares identity, which for literals depends on the interpreter.
            F633: This does not print to a file; it raises TypeError.
            F901: NotImplemented cannot be raised; NotImplementedError can.
            B002: Python has no ++; this negates twice and changes nothing.
            B003: Assigning os.environ does not change the environment of this process.
            B005 PLE1310: strip() removes any of these characters, not the text as a whole.
            B006 B039 RUF008 RUF024: The value is made once and shared by every call or instance.
            B012: A jump in `finally` swallows the exception that is under way.
            B015: The comparison has no effect; an assert or an assignment was probably meant.
            B016: Only exceptions can be raised; this raises TypeError instead.
            B020: The loop overwrites what it iterates over.
            B025 B029: The handler never runs.
            B030: Comparing an exception with something else raises TypeError, in the middle of handling it.
            B031: The groupby iterator is used up after the first pass.
            B032: This annotates the name and assigns nothing.
            PLE0101 PLE0302 PLE0303 PLE0304 PLE0305 PLE0307 PLE0308 PLE0309: \
Python calls this method with other arguments, or refuses what it returns.
            PLE0237 PLE0241 PLE0604 PLE0605 PLE0643 PLE0704 PLE1132 PLE1507: \
This raises when the line runs.
            PLE1519 PLE1520: The dispatch looks at the wrong argument.
            PLE1205 PLE1206 G101: Logging this record fails, so the message is lost.
            PLW0127 PLW0128 PLW0133: The statement has no effect; something else was probably meant.
            PLW0129 RUF040 PGH005: The check does not check what it looks like.
            PLW0177: NaN equals nothing, itself included, so the comparison is always false.
            PLW0245: Without the call parentheses this is the class `super`, not its instance.
            PLW0711: `except A and B` catches only one of them.
            PLW1501: open() refuses this mode.
            PLW2101: A lock that each call makes anew guards nothing.
            RUF006: Nothing holds the task, so it may be collected before it ends and its errors are lost.
            RUF016: This index type raises TypeError.
            RUF026: The factory is taken for a key, so the default never applies.
            RUF032: A float literal carries its rounding error into the Decimal.
            RUF049: Dataclass semantics break the enum's members.
            ASYNC105: Without `await` the call does nothing.
            ASYNC210 ASYNC212 ASYNC220 ASYNC221 ASYNC222 ASYNC250 ASYNC251: \
A blocking call stops the whole event loop until it returns.
            T100: A debugger stops the program here.
            """,
        )
    ),
    **dict(
        _rules(
            "minor",
            "bug",
            """
            F402: The loop hides the import from the rest of the scope.
            F541: An `f` without placeholders often means that a value was forgotten.
            F841: What the expression gives is thrown away; it was meant to be used, or it is not needed.
            E722 S110 S112: Errors disappear here, KeyboardInterrupt and typing mistakes perhaps among them.
            B004: Objects can have __call__ without being callable.
            B008: The call is made once, when the function is defined, and its result is shared by every call.
            B014: The exception is named twice.
            B022: Nothing is suppressed.
            B017 PT010: Any error satisfies the test, a typing mistake included.
            B018: The expression has no effect.
            B019: The cache keeps every instance alive for as long as the program runs.
            B021: An f-string is not a docstring; __doc__ stays empty.
            B023: Called after its iteration, the function sees the variable's last value.
            B026: The order of arguments is not the one in which they are written.
            B033: A set keeps one of them; the other was probably meant to be different.
            B034: The positional argument is `count`, not `flags`.
            DTZ003 DTZ004: The result is UTC without saying so, and other code will take it for local time.
            LOG004 LOG014: There is no exception to log here.
            PLW0120: The `else` always runs.
            PLW0406: The module imports itself.
            PLW0602: Nothing is assigned, so the statement does nothing.
            PLW0642: Only the local name changes, not the object.
            PLW1507: The copy still changes the environment of this process.
            PLW1508: os.environ holds strings; another type comes out when the variable is not set.
            PLW1509: preexec_fn can deadlock when there are threads.
            RUF018: With `python -O` the assert and its assignment are gone.
            RUF009: The call is made once, when the class is, and its result is shared by every instance.
            RUF033: The generated __init__ does not know this default.
            RUF034: Both branches give the same.
            RUF060: Nothing is ever in an empty collection.
            RUF071: Compares characters, not path parts: `/usr/lib` and `/usr/local` share `/usr/l`.
            PT014: The same case runs twice; another one was probably meant.
            PT025: The mark has no effect on a fixture.
            """,
        )
    ),
    **dict(
        _rules(
            "critical",
            "security",
            """
            S501 S323: Without certificate checks anybody on the way can read and change the traffic.
            """,
        )
    ),
    **dict(
        _rules(
            "major",
            "security",
            """
            S102 S307: Text that comes from outside would run as code.
            S103: Other users of the machine can change or run the file.
            S201: Flask's debugger lets visitors run code.
            S202: An archive can write outside the target folder.
            S301 S302 S506: Loading data from outside this way runs code of its choosing.
            S303 S304 S305 S324: The algorithm is broken; for anything but checksums take a current one.
            S306: Another process can put its file there first.
            S502 S503 S504 S505 S508 S509: The protocol or key size is no longer safe.
            S507: Any host is trusted, so anybody on the way can pose as the server.
            S602 S604 S605 S609: Whoever controls the text controls a shell.
            S612: Whoever reaches the port can run code.
            S608 S610 S611: Whoever controls the text controls the query; pass values as parameters.
            S701 S702 S704: Text from outside reaches the page as HTML.
            """,
        )
    ),
    **dict(
        _rules(
            "minor",
            "security",
            """
            S113: Without a timeout an unresponsive server blocks this call for ever.
            S104: The service can be reached from every network of the machine.
            S108: Another user of the machine can put a file there first.
            S308: Text from outside reaches the page as HTML.
            S312 S321: The protocol sends everything, passwords included, in the clear.
            S313 S314 S315 S316 S317 S318 S319: XML from outside can exhaust memory or read files.
            """,
        )
    ),
    **dict(
        _rules(
            "minor",
            "performance",
            """
            ASYNC110: The loop wakes up again and again; an event wakes it once.
            RUF017: The time grows with the square of the number of items.
            """,
        )
    ),
    **dict(_rules("nit", "bug", "F401: Nothing uses the import.\nF842: Nothing uses the annotated name.")),
}
