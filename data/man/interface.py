#!/usr/bin/python3
"""interface.py NAME FILE... - the man page of a D-Bus interface, from its XML, as roff on standard output. What is no XML is
an example: its text is shown as it is.

The first comment of a file introduces it, the comment before an interface or a member is its text. In such a text
"@name:" begins the paragraph of an argument and "Errors:" that of the errors; an interface, method, property or signal
whose text begins with its own name needs no second one. What says nothing of "Since" was there from the first version.
"""

import pathlib
import re
import sys
import xml.etree.ElementTree as ElementTree

FIRST = "0.1"
EMITS = "org.freedesktop.DBus.Property.EmitsChangedSignal"
KINDS = [("property", "Properties"), ("method", "Methods"), ("signal", "Signals")]
CHANGES = {"true": "PropertiesChanged tells the new value", "const": "constant",
           "invalidates": "PropertiesChanged tells that it changed", "false": "changes are not told"}


def roff(text):
    """A line of text for roff: what would be a request or an escape stands for itself."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("^", "\\(ha")
    text = text.replace("~", "\\(ti").replace("`", "\\(ga").replace("\u2026", "...")
    return re.sub(r"^\.", "\\\\&.", text, flags=re.MULTILINE)


def paragraphs(comment, name=""):
    """The paragraphs of a comment without indentation; those that begin with @ or Errors: are paragraphs of their own."""
    text = re.sub(r"(?m)^[ \t]*(?=@\w+:)", "\n", comment.strip())
    text = re.sub(r"\s(?=Errors: )", "\n\n", text)
    text = re.sub(r"(?<=\S) (?=@\w+: )", "\n\n", text)
    parts = [" ".join(part.split()) for part in re.split(r"\n[ \t]*\n", text)]
    if name and parts[0].startswith(f"{name}:"):
        parts[0] = parts[0].removeprefix(f"{name}:").strip()
        parts[0] = parts[0][:1].upper() + parts[0][1:]
    return [part for part in parts if part]


def print_text(comment, name="", first=".PP"):
    for number, part in enumerate(paragraphs(comment, name)):
        print(".PP" if number else first)
        if match := re.match(r"@(\w+): *", part):
            print(f"\\fI{roff(match[1])}\\fR: {roff(part[match.end():])}")
        else:
            print(roff(part))


def signature(member):
    if member.tag == "property":
        access = {"read": "readonly", "readwrite": "read and write", "write": "writeonly"}[member.get("access")]
        return f"\\fB{roff(member.get('name'))}\\fR {roff(member.get('type'))} ({access})"
    default = "out" if member.tag == "signal" else "in"
    given = {"in": [], "out": []}
    for arg in member.findall("arg"):
        given[arg.get("direction", default)].append(f"{roff(arg.get('type'))} \\fI{roff(arg.get('name') or '')}\\fR")
    if member.tag == "signal":
        return f"\\fB{roff(member.get('name'))}\\fR({', '.join(given['out'])})"
    answer = f" \\(-> ({', '.join(given['out'])})" if given["out"] else ""
    return f"\\fB{roff(member.get('name'))}\\fR({', '.join(given['in'])}){answer}"


def facts(member, comment):
    words = []
    if member.tag == "property":
        notes = {note.get("name"): note.get("value") for note in member.findall("annotation")}
        words.append(CHANGES[notes.get(EMITS, "true")][:1].upper() + CHANGES[notes.get(EMITS, "true")][1:] + ".")
    if not re.search(r"\bSince \d", comment):
        words.append(f"Since {FIRST}.")
    return " ".join(words)


def print_member(member, comment):
    if comment is None:
        sys.exit(f"{member.get('name')}: no comment stands before it")
    print(".PP")
    print(signature(member))
    print_text(comment, member.get("name"), ".RS 4")
    if text := facts(member, comment):
        print(".PP")
        print(roff(text))
    print(".RE")


def print_interface(path, interface, comment):
    print(f'.SH "{roff(interface.get("name"))}"')
    print(f".PP\nOf {roff(path)}.")
    if comment:
        print_text(comment, interface.get("name"))
    members, before = [], None
    for child in interface:
        if child.tag is ElementTree.Comment:
            before = child.text
        elif child.tag in dict(KINDS):
            members.append((child, before))
            before = None
    for kind, title in KINDS:
        if of_kind := [pair for pair in members if pair[0].tag == kind]:
            print(f".SS {title}")
            for member, text in of_kind:
                print_member(member, text)


def print_example(path):
    text = pathlib.Path(path).read_text(encoding="utf-8")
    print(f".SS {roff(pathlib.Path(path).name)}\n.nf")
    print("\n".join(roff(line) for line in text.rstrip("\n").split("\n")))
    print(".fi")


def parse(path):
    """The introduction, and each interface with the path of its object and the comment before it. A node inside another
    is named from there on; what stands in capital letters in its name is any."""
    text = open(path, encoding="utf-8").read()  # noqa: SIM115
    head = re.match(r"\s*(?:<\?.*?\?>|<!DOCTYPE.*?>|\s)*<!--(.*?)-->", text, re.DOTALL)
    parser = ElementTree.XMLParser(target=ElementTree.TreeBuilder(insert_comments=True))
    found = []

    def walk(node, path):
        before = None
        for child in node:
            if child.tag is ElementTree.Comment:
                before = child.text
            elif child.tag == "interface":
                found.append((path, child, before))
                before = None
            elif child.tag == "node":
                walk(child, f"{path}/{child.get('name')}")

    top = ElementTree.fromstring(text, parser)
    walk(top, top.get("name"))
    return head[1] if head else "", found


def main(name, paths):
    pages = [parse(path) for path in paths if path.endswith(".xml")]
    print(f'.\\" Made from the XML of the interface.\n.TH "{name}" "5" "" "taskschedd" "File Formats Manual"')
    print(".ie \\n(.g .ds Aq \\(aq\n.el .ds Aq '\n.nh\n.ad l")
    print(f".SH NAME\n{roff(name)} \\- the D\\-Bus interface of the task scheduler")
    print(".SH SYNOPSIS\n.nf")
    for _head, interfaces in pages:
        for path, _interface, _comment in interfaces:
            print(roff(f"busctl introspect {name} {path}"))
    print(f".fi\n.SH DESCRIPTION\nThe daemon \\fBtaskschedd\\fR(8) has the name {roff(name)} on the system bus (or, with "
          "\\fB\\-\\-user\\fR, on the user\\(aqs). Everything that \\fBtschedctl\\fR(1) does it does through the "
          "following interfaces.")
    for head, _interfaces in pages:
        print_text(head)
    for _head, interfaces in pages:
        for path, interface, comment in interfaces:
            print_interface(path, interface, comment)
    print(f".SH EXAMPLES\nThese files are in {roff('/usr/share/doc/taskschedd/examples')}.")
    for path in paths:
        if not path.endswith(".xml"):
            print_example(path)
    print(".SH \"SEE ALSO\"\n\\fBtaskschedd\\fR(8), \\fBtschedctl\\fR(1), \\fBtaskschedd.task\\fR(5), \\fBbusctl\\fR(1)")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
