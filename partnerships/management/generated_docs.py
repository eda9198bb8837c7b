"""The pages in docs/ that are drawn from the code: state diagrams and the access table."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from django.db.models import Model
from django.utils.translation import override

from partnerships.models import Activity, Agreement, Answer, Demand, Event, Facility, Honour, Milestone, Report, Role
from partnerships.models.base import StatusField
from partnerships.permissions import ACTIONS, VETOES, Grant
from partnerships.statuses import (
    ACTIVITY_TRANSITIONS,
    AGREEMENT_TRANSITIONS,
    ANSWER_TRANSITIONS,
    DEMAND_TRANSITIONS,
    EVENT_TRANSITIONS,
    FACILITY_TRANSITIONS,
    HONOUR_TRANSITIONS,
    MILESTONE_TRANSITIONS,
    REPORT_TRANSITIONS,
    Transition,
    TransitionTable,
)
from partnerships.workflows import deletions

DRAWN = "<!-- Drawn by `manage.py draw_rules`; change the code, not this page. -->"
ROLES = {"viewer": Role.VIEWER, "coordinator": Role.COORDINATOR, "unit lead": Role.LEAD}


@dataclass(frozen=True)
class Workflow:
    title: str
    model: type[Model]
    table: TransitionTable
    words: str


WORKFLOWS = (
    Workflow(
        "Agreement",
        Agreement,
        AGREEMENT_TRANSITIONS,
        "A type may ask for approval steps in order (who or what decides, by which meeting and under which number). They are "
        "recorded while the agreement is in review (`record_approval_step`); approving is refused until all are there, and "
        "another submission begins anew. "
        "Signed is a deliberate step with a date; most agreements arrive signed and are registered as such. Whether one is "
        "in force, expiring, expired or quiet is no status: it is asked for a day. Renewals, amendments and notice change "
        "its terms and not its status (`workflows/terms.py`); the glossary says how terms follow each other.",
    ),
    Workflow(
        "Milestone",
        Milestone,
        MILESTONE_TRANSITIONS,
        "What a lead accepts is submitted and accepted, everything else is marked as done by its owner, or done by "
        "what it waits for: a payment by recording that all of it was received. Overdue is no status.",
    ),
    Workflow(
        "Activity",
        Activity,
        ACTIVITY_TRANSITIONS,
        "A training, a research project, a visit or another activity. Completing one asks for the next step.",
    ),
    Workflow(
        "Joint facility",
        Facility,
        FACILITY_TRANSITIONS,
        "From its opening on it is reviewed every year, also while it is suspended.",
    ),
    Workflow(
        "Event",
        Event,
        EVENT_TRANSITIONS,
        "One that was recorded in error is withdrawn; it keeps its page with the reason, and is out of lists and figures.",
    ),
    Workflow(
        "Honour",
        Honour,
        HONOUR_TRANSITIONS,
        "One that was recorded in error is withdrawn; it is kept, and counts nowhere. Whether one has lapsed is no status.",
    ),
    Workflow(
        "Demand",
        Demand,
        DEMAND_TRANSITIONS,
        "Asking a unit and its first answer move it on. It is agreed by making the agreement or the project that comes of it.",
    ),
    Workflow(
        "Answer",
        Answer,
        ANSWER_TRANSITIONS,
        "The unit asked proposes, whoever asked chooses; of the answers to a demand one is chosen at a time.",
    ),
    Workflow(
        "Report",
        Report,
        REPORT_TRANSITIONS,
        "Confirming freezes the figures under a name. A confirmed report is never changed: `start_edition` makes the next "
        "edition, a draft with the same texts.",
    ),
)


def pages() -> dict[str, Callable[[], str]]:
    """File name in docs/ -> what it should contain."""
    return {"workflows.md": workflows_page, "access.md": access_page}


def workflows_page() -> str:
    with override("en"):
        sections = [_workflow(workflow) for workflow in WORKFLOWS]
    return "\n".join(
        [
            "# Workflows",
            "",
            DRAWN,
            "",
            "One table per aggregate in `partnerships/statuses.py` is read by the verbs, the buttons of admin and pages, this",
            "page and the tests. A step that is not here does not exist; corrections (marked below) take a permission of",
            "their own and a reason.",
            "",
            *sections,
        ]
    )


def _workflow(workflow: Workflow) -> str:
    status = workflow.model._meta.get_field("status")
    assert isinstance(status, StatusField)
    labels = dict(status.statuses.choices)
    lines = [f"## {workflow.title}", "", workflow.words, "", "```mermaid", "stateDiagram-v2"]
    lines += [f'    state "{label}" as {value}' for value, label in labels.items()]
    lines += [f"    [*] --> {status.default}"]
    for step in workflow.table.values():
        lines += [f"    {source} --> {step.target}: {step.name}" for source in labels if source in step.sources]
    lines += ["```", "", "| step | button | from | to | needs | permission |", "|---|---|---|---|---|---|"]
    lines += [_step(step, labels) for step in workflow.table.values()]
    return "\n".join([*lines, ""])


def _step(step: Transition, labels: Mapping[str, object]) -> str:
    sources = ", ".join(str(label) for value, label in labels.items() if value in step.sources)
    needs = "a reason" if step.needs_reason else ""
    name = f"{step.name} (correction)" if step.is_correction else step.name
    return f"| {name} | {step.label} | {sources} | {labels[step.target]} | {needs} | `{step.permission}` |"


def access_page() -> str:
    head = ["action", *ROLES, "staff", "user admin", "auditor", "system admin"]
    rows = [[f"`{action}`", *_reach(grant)] for action, grant in ACTIONS.items()]
    with override("en"):
        exceptions = [f"- `{action}`: {_first_sentence(veto.__doc__)}" for action, veto in VETOES.items()]
    return "\n".join(
        [
            "# Who may do what",
            "",
            DRAWN,
            "",
            "Drawn from `partnerships/permissions.py`, the one answer for pages, admin, workflows, files and mail links.",
            "Roles are held in units and reach the units below; *own* is what belongs to such a unit, *participating* what",
            "belongs to an agreement in which one takes part, *all* everything. Around a demand, the units that were asked",
            "participate in the demand, and the unit that asks participates in their answers. Organizations belong to the",
            "units that hold them. Which rows a person sees at all is `visible_to(user)` of each model; nobody may touch what",
            "they do not see.",
            "",
            *_table(head, rows),
            "",
            "Beyond the table:",
            "",
            *exceptions,
            "- `milestone.act`, `milestone.move`, `milestone.snooze`: a coordinator of a participating unit may, for milestones given to them.",
            "- `document.replace`: a coordinator of a participating unit may, for documents they uploaded.",
            "- The unit of a document is that of what it belongs to; of an organization's document the holder that uploaded it,",
            "  and all holders where the office did. Its readers are chosen by those who read it, and so is each change of them.",
            "- `programme.edit` is also asked for the programme's label on an event, agreement, facility or demand.",
            "- A confirmed report is a document of its unit: it has the figures and lists that the person who confirmed it saw, and",
            "  everybody with a role in the unit or above reads it as it is. A draft shows the figures of its reader's own scope.",
            "  A report about all units is the office's.",
            "- Whoever sees an agreement reads title, parties, dates and areas of the signed framework above it.",
            "- `delivery.view`, `delivery.view_body`: everybody, for their own mail.",
            "- `feed.own`, `session.own`: everybody, for their own calendar addresses and sessions.",
            "- `user.edit_preferences`: everybody, for their own language, reminders and absence.",
            "- `user.view_reminders`: everybody, for their own; leads, for people with a role in their units, as far as they see",
            "  the milestones.",
            "- `history.view` of an account: who may view the account, and auditors.",
            "- `history.search`: the page *Change history* with all histories at once. Accounts and roles are in it for system",
            "  administrators and auditors alone; phones, addresses and notes of people are named and not shown. Leads read the",
            "  history of each record of theirs: what a record was, before it became theirs or after, is not theirs to search.",
            "- `is_auditor` is set by system administrators alone. It opens the security log and the history of every record,",
            "  also of deleted ones, and nothing else.",
            "- A system administrator never approves, signs or ends an agreement, member or staff or not; nobody inactive may do",
            "  anything.",
            "",
            "## Who holds an organization",
            "",
            "A unit holds an organization that it entered or was granted; one it signed an agreement with, closed meanwhile or",
            "not; and one it runs an open joint facility with. An agreement registered as already signed counts when the office",
            "registered it, or a lead who neither created, submitted nor edited it before; otherwise once one of them has",
            "confirmed the signing. A facility counts from its opening, whoever opens it. Drafts, submissions, demands and",
            "activities make no holder. When the last of these grounds ends (the signing is taken back, the facility closes,",
            "its side leaves), the unit holds it no longer.",
            "`workflows.organizations.update_holders` adds and ends holders; each verb that changes a ground calls it. The leads of",
            "the other holders get a milestone to note each new one. It stays open until they do, also when the new holding ends",
            "before: the unit had access meanwhile. It is cancelled when their own unit stops being a holder.",
            "",
            "A holding that a person removes stays away, whatever grounds there are, until a person grants it again. People",
            "whose units hold the organization through a facility alone do not grant it to another unit: that would outlast",
            "the facility.",
            "",
            "## Who sees a contact",
            "",
            "Name and position: the units that hold the organization, or another one at which the person has or had a",
            "position. Phone, e-mail, WeChat and note: the unit that entered the contact, the units above it and the office;",
            "with `is_shared` all holders. What the office entered belongs to no unit and is for all holders, unless the",
            "office alone may contact the person. The entering unit and the office edit it. When the person goes to another",
            "organization, the entering unit goes on with them; other holders of the former one keep the name and the",
            "position. Reminders to a partner go to contacts that the unit of the agreement sees and that everybody may",
            "contact. A reminder to get in touch tells numbers and addresses that its reader sees and",
            "that people who work in the unit of the agreement see, who may read the mail in the log.",
            "",
            "## Exporting and erasing a person's data",
            "",
            "System administrators alone, from the page of an account in the admin or from the contact on its organization's page, always with a reason",
            "that the security log keeps.",
            "",
            "- **Export**: one JSON file with the record, each earlier state, mails to the person, the texts that name them, the ids of all rows that refer to",
            "  them; for an account roles, steps, saved views, sessions and lines of the security log; for a contact their positions and the notes about them. Columns have the",
            "  names they have in the database.",
            '- **Erase**: the row stays as "Erased person 12", because agreements, steps and mails refer to it; nobody edits or activates it again. An open',
            "  account is deactivated first. Name, user name, address, numbers, position and note go from the row and from every state in its history.",
            "  A contact's further positions are deleted with their history, the position beside their signatures is emptied, and they",
            "  are no longer the liaison of an association's members.",
            "- **Texts that people wrote** are listed with the words that name the person, and masked (`██`) where they are ticked, in their history as well.",
            "  A text is ticked at first if it contains an address, a number, or a full name that is no part of another person's name on record. A Chinese",
            "  name of two signs is part of too many words and never ticked at first.",
            "- **What the system wrote** (security log, saved views, the admin's log, unfinished ceremonies) is masked by the same rule, where it is the name",
            "  alone, and wherever the row refers to the person. Log-ins under the person's names are deleted, files of exports removed or written anew.",
            "- **Mails** to the person lose text, address and answers. Others are read by the next ticks; those that name the person lose subject and text.",
            "  Until then the words to look for are kept.",
            "- **What stays**: network addresses in the security log; texts that were not ticked, such as notes about the person that do not name them; the",
            "  content of uploaded files; the history of contacts that were deleted; the logs of the server; mails that arrived; backups made before.",
            "  PostgreSQL frees the old rows with its next vacuum, SQLite once the mails are read. Restoring an older backup brings the person back: erase",
            "  them again.",
            "",
            "## Deleting what was entered by mistake",
            "",
            "`workflows.deletions.delete_record` deletes a row with a reason, on its page and in the admin, while nothing refers",
            "to it; the history keeps the row, the reason and by whom. Its parts go along, and so do derived milestones about",
            "which nobody was mailed. Otherwise the page names what refers to it. Deleting takes the permission of the record's",
            "correction; for what has none, the one that edits it:",
            "",
            *_deletions(),
            "",
        ]
    )


def _deletions() -> Iterator[str]:
    by_action: dict[str, list[str]] = defaultdict(list)
    with override("en"):
        for model, action in deletions.ACTIONS.items():
            by_action[action].append(str(model._meta.verbose_name_plural))
    return (f"- `{action}`: {', '.join(names)}" for action, names in by_action.items())


def _first_sentence(text: str | None) -> str:
    return " ".join((text or "").split(". ")[0].split()).rstrip(".") + "."


def _reach(grant: Grant) -> list[str]:
    members = [_member(grant, role) for role in ROLES.values()]
    return [*members, _all(grant.staff), _all(grant.user_admin), _all(grant.auditor), _all(grant.system)]


def _member(grant: Grant, role: Role) -> str:
    if grant.anywhere is not None and role >= grant.anywhere:
        return "all"
    places = {"own": grant.own, "participating": grant.participating}
    return ", ".join(place for place, least in places.items() if least is not None and role >= least) or "–"


def _all(is_granted: bool) -> str:
    return "all" if is_granted else "–"


def _table(head: list[str], rows: Iterable[list[str]]) -> list[str]:
    return [f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows)]
